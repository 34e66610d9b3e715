from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Environment
from pipedoctor.facts.arguments import version_key

LEAST = {"5.23": "1.1.0"}
"""What releases of transformers ask for at least, as far as their source was read."""


@check(
    "VER013",
    Severity.ERROR,
    stage=Stage.ENVIRONMENT,
    symptoms={
        r"Using the `?Trainer`? with `?PyTorch`? requires `?accelerate": "pip install --upgrade "
        "accelerate, and restart the kernel of a notebook afterwards",
    },
)
def trainer_without_accelerate(environment: Environment) -> Iterator[Finding]:
    """
    Trainer needs the package accelerate, which is missing or older than it asks for.

    `pip install transformers` does not install it. The error comes when `TrainingArguments` are
    made: `ImportError: Using the Trainer with PyTorch requires accelerate`. In a notebook the
    kernel must be restarted after the installation, since what is installed is asked once.

    Fails:

        environment = {"transformers": "5.23.0", "torch": "2.13.0", "accelerate": None}

    Fails:

        environment = {"transformers": "5.23.0", "torch": "2.13.0", "accelerate": "0.34.2"}

    Passes:

        environment = {"transformers": "5.23.0", "torch": "2.13.0", "accelerate": "1.15.0"}

    See also: <https://github.com/huggingface/blog/issues/1445>.
    """
    versions = environment.versions
    if not {"transformers", "torch"} <= set(versions):
        return  # nothing will be trained with this environment
    transformers, here = versions["transformers"], versions.get("accelerate")
    least = LEAST.get(".".join(transformers.split(".")[:2]))
    if here is not None and (least is None or version_key(here) >= version_key(least)):
        return
    bound = f">={least}" if least else ""
    yield Finding(
        message=f"Trainer of transformers {transformers} needs accelerate{bound}; "
        + (f"{here} is installed" if here else "it is not installed"),
        evidence={"transformers": transformers, "accelerate": here, "least": least},
        remedy=f'pip install --upgrade "accelerate{bound}"',
    )

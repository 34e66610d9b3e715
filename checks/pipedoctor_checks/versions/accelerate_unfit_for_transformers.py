from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Environment
from pipedoctor_checks.versions._pairs import Pair, findings

NEWER = 'pip install --upgrade "accelerate>=1.3.0"'
OLDER = 'pip install "accelerate<1.0"'

PAIRS = (
    Pair(
        "transformers",
        ("4.52.4", ""),
        "accelerate",
        ("", "1.2"),
        "train() raises TypeError: Accelerator.unwrap_model() got an unexpected keyword argument "
        "'keep_torch_compile'",
        NEWER,
        "https://github.com/huggingface/accelerate/pull/3282",
    ),
    Pair(
        "transformers",
        ("4.36.2", "4.37"),
        "accelerate",
        ("1.0.1", ""),
        "Trainer raises TypeError: Accelerator.__init__() got an unexpected keyword argument "
        "'dispatch_batches'",
        f"{OLDER}, or a newer transformers",
        "https://github.com/huggingface/transformers/issues/34714",
    ),
)
"""
By the sources of transformers 4.36.2, 4.37.2, 4.51.3 (fits), 4.52.4, 4.57.6 and 5.23.0, and of
accelerate 0.34.2, 1.0.1, 1.2.1 and 1.3.0 (fits).
"""


@check(
    "VER011",
    Severity.ERROR,
    stage=Stage.ENVIRONMENT,
    symptoms={
        r"unwrap_model\(\) got an unexpected keyword argument 'keep_torch_compile'": NEWER,
        r"Accelerator.*got an unexpected keyword argument 'dispatch_batches'": OLDER,
    },
    explains=("VER013",),
)
def accelerate_unfit_for_transformers(environment: Environment) -> Iterator[Finding]:
    """
    Trainer calls accelerate in a way that the installed version does not know.

    Their metadata allow the pair, so neither pip nor the import says anything. The call comes
    when Trainer is made or when the training starts.

    Fails:

        environment = {"transformers": "4.57.6", "torch": "2.9.0", "accelerate": "1.2.1"}

    Fails:

        environment = {"transformers": "4.37.2", "torch": "2.2.0", "accelerate": "1.0.1"}

    Passes:

        environment = {"transformers": "4.57.6", "torch": "2.9.0", "accelerate": "1.3.0"}

    Passes:

        environment = {"transformers": "4.51.3", "torch": "2.6.0", "accelerate": "1.2.1"}

    See also: <https://github.com/huggingface/transformers/issues/34714>.
    """
    if {"transformers", "torch"} <= set(environment.versions):
        yield from findings(PAIRS, environment.versions)

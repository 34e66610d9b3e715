from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Environment, Packages
from pipedoctor.facts.arguments import version_key
from pipedoctor.finding import Location
from pipedoctor_checks.environment._allocator import corrected


@dataclass(frozen=True)
class Renamed:
    """
    A variable that another one has taken the place of.

    `reader` is the package that reads it, `until` the last version known to and `since` the first
    version known not to; `since` is None where the old name still works.
    """

    name: str
    now: str
    reader: str
    since: str | None
    consequence: str
    needs: str = ""
    """The package without which the variable is of no use at all."""
    enough: tuple[str, ...] = ()
    """Variables that say the same; with one of them set, nothing is lost."""


MODELS = "models are downloaded again, into ~/.cache/huggingface"

RENAMED = (
    *(
        Renamed(
            name, "HF_HUB_CACHE", "transformers", "5.23", MODELS, "", ("HF_HOME", "HF_HUB_CACHE")
        )
        for name in (
            "TRANSFORMERS_CACHE",
            "PYTORCH_TRANSFORMERS_CACHE",
            "PYTORCH_PRETRAINED_BERT_CACHE",
        )
    ),
    Renamed(
        "WANDB_DISABLED",
        "WANDB_MODE",
        "transformers",
        "5.23",
        'a run with report_to="wandb" or "all" is logged all the same',
        "wandb",
        ("WANDB_MODE",),
    ),
    Renamed(
        "HF_HUB_ENABLE_HF_TRANSFER",
        "HF_XET_HIGH_PERFORMANCE",
        "huggingface_hub",
        "2.4",
        "downloads are no faster for it",
        "",
        ("HF_XET_HIGH_PERFORMANCE",),
    ),
    Renamed("HUGGINGFACE_HUB_CACHE", "HF_HUB_CACHE", "huggingface_hub", None, ""),
    Renamed("HUGGING_FACE_HUB_TOKEN", "HF_TOKEN", "huggingface_hub", None, ""),
    Renamed("NCCL_ASYNC_ERROR_HANDLING", "TORCH_NCCL_ASYNC_ERROR_HANDLING", "torch", None, ""),
    Renamed("NCCL_BLOCKING_WAIT", "TORCH_NCCL_BLOCKING_WAIT", "torch", None, ""),
)
"""
By the sources of transformers 4.57.6 and 5.23.0, huggingface_hub 2.4.0 and torch 2.13.0, whose
allocator reads PYTORCH_CUDA_ALLOC_CONF besides PYTORCH_ALLOC_CONF.
"""

VALUES = {"WANDB_DISABLED": "disabled"}
"""What the new variable has to be where it is not what the old one was."""

SWITCHES = frozenset({"WANDB_DISABLED", "HF_HUB_ENABLE_HF_TRANSFER"})
OFF = frozenset({"0", "FALSE", "NO", "OFF", "NONE"})


@check("ENV012", Severity.WARNING, stage=Stage.ENVIRONMENT)
def variable_not_read_any_more(
    environment: Environment, packages: Packages | None
) -> Iterator[Finding]:
    """
    A variable of the environment is set under a name that the installed library no longer reads.

    Nothing says so: the library behaves as if it were not set. `TRANSFORMERS_CACHE` is the common
    one; version 5 of transformers knows `HF_HOME` and `HF_HUB_CACHE` only. A variable whose old
    name still works is a note, and told by `pipedoctor env` only.

    Fails:

        environment = {
            "transformers": "5.23.0",
            "variables": {"TRANSFORMERS_CACHE": "/scratch/models"},
        }

    Passes:

        environment = {
            "transformers": "5.23.0",
            "variables": {"TRANSFORMERS_CACHE": "/scratch/models", "HF_HOME": "/scratch/hf"},
        }

    Passes:

        environment = {
            "transformers": "4.57.6",
            "variables": {"TRANSFORMERS_CACHE": "/scratch/models"},
        }

    See also: <https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables>,
    <https://docs.pytorch.org/docs/stable/notes/cuda.html#environment-variables>.
    """
    variables = environment.variables
    for old in RENAMED:
        version = environment.versions.get(old.reader)
        value = variables.get(old.name)
        if not value or version is None or any(map(variables.get, old.enough)):
            continue
        if old.needs and old.needs not in environment.versions:
            continue
        if old.name in SWITCHES and value.upper() in OFF:
            continue
        if old.since is None:
            if packages is not None and not variables.get(old.now):
                yield _finding(old, value, f"is called {old.now} now, and still read", version)
        elif version_key(version) >= version_key(old.since):
            text = f"is set, and {old.reader} {version} does not read it: {old.consequence}"
            yield _finding(old, value, text, version)
    yield from _allocator(environment, whole=packages is not None)


def _finding(old: Renamed, value: str, text: str, version: str) -> Finding:
    shown = VALUES.get(old.name, value)
    return Finding(
        message=f"{old.name} {text}",
        where=Location(key=old.name),
        evidence={"variable": old.name, "now": old.now, "reader": f"{old.reader} {version}"},
        remedy=f"export {old.now}={'...' if shown == '(set)' else shown}",
        severity=Severity.NOTE if old.since is None else None,
    )


def _allocator(environment: Environment, *, whole: bool) -> Iterator[Finding]:
    """Tell of the allocator's two variables only where they differ: torch reads both."""
    variables, version = environment.variables, environment.versions.get("torch")
    old, new = variables.get("PYTORCH_CUDA_ALLOC_CONF"), variables.get("PYTORCH_ALLOC_CONF")
    if version is None or old is None or version_key(version) < (2, 13):
        return  # 2.13.0 is the first of which it was looked up
    name = Location(key="PYTORCH_CUDA_ALLOC_CONF")
    told = {"PYTORCH_CUDA_ALLOC_CONF": old, "PYTORCH_ALLOC_CONF": new, "torch": version}
    if new is None and whole:
        yield Finding(
            message="PYTORCH_CUDA_ALLOC_CONF is called PYTORCH_ALLOC_CONF now, and still read by "
            f"torch {version}",
            where=name,
            evidence=told,
            remedy=f"export PYTORCH_ALLOC_CONF={corrected(old)}",
            severity=Severity.NOTE,
        )
    elif new is not None and new != old:
        yield Finding(
            message=f"PYTORCH_CUDA_ALLOC_CONF is {old} and PYTORCH_ALLOC_CONF is {new}; torch "
            f"{version} reads some options from the one and some from the other",
            where=name,
            evidence=told,
            remedy="unset PYTORCH_CUDA_ALLOC_CONF",
        )

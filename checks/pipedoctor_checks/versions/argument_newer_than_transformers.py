from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, Unavailable, check
from pipedoctor.facts import Settings
from pipedoctor.probes import habits
from pipedoctor_checks.versions._fixes import replaced
from pipedoctor_checks.versions._keys import keys, release, severity

CURE = "upgrade transformers, or use the argument's older name"

FORMER_NAMES = {
    "eval_strategy": "evaluation_strategy",
    "activation_checkpointing": "gradient_checkpointing",
    "activation_checkpointing_kwargs": "gradient_checkpointing_kwargs",
}


@check(
    "VER002",
    Severity.ERROR,
    stage=Stage.ENVIRONMENT,
    symptoms={
        r"unexpected keyword argument '(eval_strategy|processing_class|include_for_metrics|"
        r"train_sampling_strategy|activation_checkpointing(_kwargs)?|eval_on_start|use_cache)'": CURE,
        r"not used by the HfArgumentParser: \[.*\beval_strategy\b": CURE,
    },
)
def argument_newer_than_transformers(settings: Settings) -> Iterator[Finding]:
    """
    The settings use an argument, or a kind of value, that came after the installed transformers.

    An unknown argument stops the run while it reads its arguments. A share as `warmup_steps` is
    worse: releases before 5.0 take 0.1 for a tenth of one step, and train without warm-up.

    Fails:

        settings = {"eval_strategy": "epoch"}
        environment = {"transformers": "4.40.2"}

    Fails:

        settings = {"warmup_steps": 0.1}
        environment = {"transformers": "4.57.6"}

    Passes:

        settings = {"eval_strategy": "epoch", "warmup_steps": 0.1}
        environment = {"transformers": "5.23.0"}

    See also: <https://github.com/huggingface/transformers/blob/main/MIGRATION_GUIDE_V5.md>.
    """
    arguments = settings.arguments
    for key, value in keys(settings, "VER002"):
        if arguments.release != arguments.version:  # it may have come in between
            raise Unavailable(
                f"the arguments of transformers {arguments.version} are not known, only those of "
                f"{arguments.release}"
            )
        first = arguments.added_in(key)
        former = _former(settings, key, value)
        upgrade = f'pip install --upgrade "transformers>={first}"'
        yield Finding(
            message=f"{release(arguments)} has no argument {key} yet; {first} has it",
            where=settings.where(key),
            evidence={"key": key, "transformers": arguments.version, "first_release": first},
            remedy=f"write {settings.entry(*former)}" if former else upgrade,
            alternatives=(upgrade,) if former else ("delete the key",),
            severity=severity(arguments),
            fix=replaced(settings, key, *former) if former else None,
        )
    share = settings.stated.get("warmup_steps")
    declared = arguments.fields.get("warmup_steps")
    if declared and declared.type == "int" and isinstance(share, float) and 0 < share < 1:
        yield Finding(
            message=f"warmup_steps is {share:g}, which {release(arguments)} takes for a part of one step, "
            f"so that there is no warm-up; from {habits.WARMUP_IS_A_SHARE.having} on it is a share of all steps",
            where=settings.where("warmup_steps"),
            evidence={"warmup_steps": share, "transformers": arguments.version},
            remedy=f"write {settings.entry('warmup_ratio', share)}",
            severity=Severity.WARNING,
            fix=replaced(settings, "warmup_steps", "warmup_ratio", safe=False),
        )


def _former(settings: Settings, key: str, value: object) -> tuple[str, object] | None:
    """Return the name and value that said the same in this version, if there were any."""
    if key in FORMER_NAMES:
        name, former = FORMER_NAMES[key], value
    elif key == "train_sampling_strategy" and value == "group_by_length":
        name, former = "group_by_length", True
    elif key == "include_for_metrics" and value == ["inputs"]:
        name, former = "include_inputs_for_metrics", True
    else:
        return None
    return (name, former) if name in settings.arguments.fields else None

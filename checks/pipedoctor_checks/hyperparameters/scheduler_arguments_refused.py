from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipedoctor import Finding, Severity, Stage, Unavailable, check
from pipedoctor.facts import Settings
from pipedoctor.facts.arguments import version_key

_WSD = ("num_decay_steps", "num_stable_steps", "warmup_type", "decay_type", "min_lr_ratio")
_MINIMUM = ("num_cycles", "min_lr", "min_lr_rate")

TAKEN = {
    "linear": (),
    "cosine": ("num_cycles",),
    "cosine_with_restarts": ("num_cycles",),
    "polynomial": ("lr_end", "power"),
    "inverse_sqrt": ("timescale",),
    "cosine_with_min_lr": _MINIMUM,
    "cosine_warmup_with_min_lr": (*_MINIMUM, "warmup_lr_rate"),
    "warmup_stable_decay": (*_WSD, "num_cycles"),
}
"""What each scheduler takes besides its steps; a test compares it with transformers 5.23.0."""

SINCE = "5.23.0"
"""The release whose schedulers these are; what older ones took was not looked up."""

NEEDS = {
    "cosine_with_min_lr": ("min_lr", "min_lr_rate"),
    "cosine_warmup_with_min_lr": ("min_lr", "min_lr_rate"),
    "warmup_stable_decay": ("num_decay_steps",),
}
"""Of these, each scheduler needs one."""


@check(
    "HYP016",
    Severity.ERROR,
    stage=Stage.ARGUMENTS,
    symptoms={
        r"get_\w+schedule\w*\(\) (got an unexpected|missing \d+ required)": "write into "
        "lr_scheduler_kwargs what this lr_scheduler_type takes",
        r"One of min_lr or min_lr_rate should be set": "add min_lr_rate to lr_scheduler_kwargs",
    },
)
def scheduler_arguments_refused(settings: Settings) -> Iterator[Finding]:
    """
    `lr_scheduler_kwargs` does not fit the scheduler: a name it does not take, or one it needs.

    The mapping is handed to the function that makes the schedule, as it is. `TrainingArguments`
    does not look into it; the `TypeError` or `ValueError` comes when training starts, after model
    and data were loaded.

    Fails:

        settings = {"lr_scheduler_type": "linear", "lr_scheduler_kwargs": {"num_cycles": 2}}
        environment = {"transformers": "5.23.0"}

    Fails:

        settings = {"lr_scheduler_type": "cosine_with_min_lr"}
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {
            "lr_scheduler_type": "cosine_with_min_lr",
            "lr_scheduler_kwargs": {"min_lr_rate": 0.1},
        }
        environment = {"transformers": "5.23.0"}

    See also: <https://huggingface.co/docs/transformers/main_classes/optimizer_schedules>.
    """
    if {"lr_scheduler_type", "lr_scheduler_kwargs"}.isdisjoint(settings.stated):
        return
    kind = settings.word("lr_scheduler_type")
    given = _given(settings)
    if kind not in TAKEN or given is None:
        return
    if version_key(settings.arguments.version) < version_key(SINCE):
        raise Unavailable(f"what {kind} takes is known from transformers {SINCE} on")
    where = settings.where(
        "lr_scheduler_kwargs" if "lr_scheduler_kwargs" in settings.stated else "lr_scheduler_type"
    )
    takes = TAKEN[kind]
    strange = [name for name in given if name not in takes]
    if strange:
        kept = {name: value for name, value in given.items() if name in takes}
        fitting = [other for other in TAKEN if set(given) <= set(TAKEN[other])]
        yield Finding(
            message=f'The scheduler "{kind}" takes no {", ".join(strange)}; it takes '
            f"{', '.join(takes) or 'nothing besides the steps'}, and training stops with TypeError",
            where=where,
            evidence={"lr_scheduler_type": kind, "refused": strange, "taken": list(takes)},
            remedy=f"set {settings.entry('lr_scheduler_kwargs', kept)}"
            if kept
            else "delete lr_scheduler_kwargs",
            alternatives=tuple(
                f"set {settings.entry('lr_scheduler_type', other)}, which takes it"
                for other in fitting[:1]
            ),
        )
    needed = NEEDS.get(kind, ())
    if needed and not any(given.get(name) is not None for name in needed):
        example = {"num_decay_steps": 100} if needed[0] == "num_decay_steps" else {needed[-1]: 0.1}
        yield Finding(
            message=f'The scheduler "{kind}" needs {" or ".join(needed)}, and none is in '
            "lr_scheduler_kwargs; training stops with an error",
            where=where,
            evidence={"lr_scheduler_type": kind, "needed": list(needed)},
            remedy=f"set {settings.entry('lr_scheduler_kwargs', {**given, **example})}",
        )


def _given(settings: Settings) -> Mapping[str, object] | None:
    """Return the mapping; None where it is something else, such as the text of one."""
    given = settings.get("lr_scheduler_kwargs")
    return given if isinstance(given, Mapping) else None if given else {}

from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Schedule, Settings
from pipedoctor.facts.settings import number
from pipedoctor.units import count


@check("HYP004", Severity.WARNING, stage=Stage.ARGUMENTS)
def warmup_steps_one_means_one_step(
    settings: Settings, schedule: Schedule | None
) -> Iterator[Finding]:
    """
    `warmup_steps` is a share such as 1.0, but from 1 on it counts steps: warm-up takes one step.

    Since transformers 5, `warmup_steps` below 1 is a share of all steps and 1 or more a number of
    steps, without its fraction. Whoever writes `1.0` or `1.5` means a share or a percentage, and
    gets a single step. A whole `1` is taken at its word.

    Fails:

        settings = {"warmup_steps": 1.0, "max_steps": 1000}
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {"warmup_steps": 0.1, "max_steps": 1000}
        environment = {"transformers": "5.23.0"}

    See also: <https://github.com/vllm-project/semantic-router/pull/3944>.
    """
    declared = settings.arguments.fields.get("warmup_steps")
    value = settings.stated.get("warmup_steps")
    if declared is None or declared.type == "int":
        return  # before transformers 5 it never was a share
    if not isinstance(value, float) or not 1 <= value < 2:
        return
    total = f" of {count(schedule.total_steps)}" if schedule is not None else ""
    yield Finding(
        message=f"warmup_steps is {value!r}, which is 1 step{total}: only a value below 1 is a share",
        where=settings.where("warmup_steps"),
        evidence={"warmup_steps": value, "steps": 1},
        remedy=f"for a tenth of all steps write {settings.entry('warmup_steps', 0.1)}, "
        f"for {number(value)}% {settings.entry('warmup_steps', value / 100)}",
        alternatives=(f"for a single step write {settings.entry('warmup_steps', 1)}",),
    )

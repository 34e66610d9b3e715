from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Schedule, Settings
from pipedoctor.fix import put
from pipedoctor.units import count, plural


@check("HYP003", Severity.WARNING, stage=Stage.ARGUMENTS, explains=("LOS003",))
def warmup_outlasts_training(
    schedule: Schedule, settings: Settings, *, share: float = 1.0
) -> Iterator[Finding]:
    """
    The learning rate never reaches its value: warm-up is as long as the training, or longer.

    A linear warm-up raises the rate from zero to `learning_rate` over the warm-up steps. If
    training ends before, the model only ever sees a part of the rate: with 1000 steps of warm-up
    and 500 steps of training, a quarter of it on average. It happens when `warmup_steps` is
    copied from a longer run, or when the data shrink.

    The option `share` is the part of the run that warm-up may take.

    Fails:

        settings = {"warmup_steps": 1000, "max_steps": 500}
        train_data = range(16000)
        environment = {"transformers": "5.23.0", "gpus": 0}

    Passes:

        settings = {"warmup_steps": 50, "max_steps": 500}
        train_data = range(16000)
        environment = {"transformers": "5.23.0", "gpus": 0}

    See also: <https://arxiv.org/abs/1706.02677>, section 2.2.
    """
    warmup, total = schedule.warmup_steps, schedule.total_steps
    if warmup <= 0 or total <= 0 or warmup < share * total:
        return
    tenth = total // 10
    message = f"Warm-up takes {count(warmup)} of {plural(total, 'step')}"
    if warmup > total:
        message += f"; the learning rate ends at {total / warmup:.0%} of its value"
    elif warmup == total:
        message += "; the learning rate reaches its value when training ends"
    key = "warmup_steps" if settings.get("warmup_steps") else "warmup_ratio"
    yield Finding(
        message=message,
        where=settings.where(key),
        evidence={"warmup_steps": warmup, "total_steps": total},
        remedy=f"set {settings.entry('warmup_steps', tenth)}, a tenth of the run",
        fix=settings.fix(put(key, tenth), safe=False) if key == "warmup_steps" else None,
    )

from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Schedule, Settings
from pipedoctor.probes import habits
from pipedoctor.probes.values import positive
from pipedoctor.units import count, plural


@check("HYP018", Severity.WARNING, stage=Stage.ARGUMENTS)
def accumulation_longer_than_an_epoch(settings: Settings, schedule: Schedule) -> Iterator[Finding]:
    """
    More batches are to be accumulated than an epoch has, so that each epoch is a single step.

    Trainer accumulates within an epoch: at its end a step is made of what there is. With 40
    batches and `gradient_accumulation_steps` of 64, three epochs are three steps, each of them
    with the gradient of all rows. Such values are copied from recipes for larger data.

    Fails:

        settings = {"gradient_accumulation_steps": 64, "per_device_train_batch_size": 8}
        train_data = range(320)
        environment = {"transformers": "5.23.0", "gpus": 0}

    Passes:

        settings = {"gradient_accumulation_steps": 4, "per_device_train_batch_size": 8}
        train_data = range(320)
        environment = {"transformers": "5.23.0", "gpus": 0}
    """
    accumulated = positive(settings, "gradient_accumulation_steps")
    if accumulated == 1 or schedule.steps_per_epoch > 1:
        return
    version = settings.arguments.version
    if habits.SHORT_GROUPS.known(version) is None:
        raise habits.SHORT_GROUPS.unknown(version)
    batches = schedule.batches_per_epoch
    if accumulated <= batches:
        return
    wanted = max(1, batches // 10)
    yield Finding(
        message=f"gradient_accumulation_steps is {accumulated} and an epoch has "
        f"{count(batches)} batch{'' if batches == 1 else 'es'}: each epoch is 1 step, and the run has "
        f"{plural(schedule.total_steps, 'step')}",
        where=settings.where("gradient_accumulation_steps"),
        evidence={
            "gradient_accumulation_steps": accumulated,
            "batches_per_epoch": batches,
            "total_steps": schedule.total_steps,
        },
        remedy=f"set {settings.entry('gradient_accumulation_steps', wanted)}, which makes "
        f"{count(-(-batches // wanted))} steps of an epoch",
    )

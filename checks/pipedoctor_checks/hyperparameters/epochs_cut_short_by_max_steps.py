from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Schedule, Settings
from pipedoctor.probes.values import number
from pipedoctor.units import count


@check("HYP017", Severity.WARNING, stage=Stage.ARGUMENTS)
def epochs_cut_short_by_max_steps(settings: Settings, schedule: Schedule) -> Iterator[Finding]:
    """
    `max_steps` and `num_train_epochs` are both stated and disagree; only `max_steps` counts.

    Trainer says so in a log line of level info, which is off by default. A `max_steps` left from
    a trial run ends three epochs after a hundred steps, and the schedule of the learning rate is
    made for the hundred. One that is longer than the epochs goes on after the last of them.

    Fails:

        settings = {"num_train_epochs": 3, "max_steps": 100, "per_device_train_batch_size": 8}
        train_data = range(16000)
        environment = {"transformers": "5.23.0", "gpus": 0}

    Passes:

        settings = {"num_train_epochs": 3, "max_steps": 6000, "per_device_train_batch_size": 8}
        train_data = range(16000)
        environment = {"transformers": "5.23.0", "gpus": 0}

    Passes:

        settings = {"max_steps": 100, "per_device_train_batch_size": 8}
        train_data = range(16000)
        environment = {"transformers": "5.23.0", "gpus": 0}

    See also: <https://huggingface.co/docs/transformers/main_classes/trainer>.
    """
    if "num_train_epochs" not in settings.stated or not settings.stated.get("max_steps"):
        return
    steps, epochs = settings.max_steps, number(settings, "num_train_epochs")
    default = settings.arguments.fields["num_train_epochs"].default
    if steps <= 0 or epochs <= 0:
        return  # one of them is off on purpose
    meant = epochs * schedule.steps_per_epoch
    if abs(meant - steps) <= 1 + TOLERANCE * meant:
        return  # they say the same
    happens = (
        f"the run ends after {schedule.epochs:.2g} epochs"
        if steps < meant
        else f"the run goes on for {schedule.epochs:.3g} epochs"
    )
    yield Finding(
        message=f"num_train_epochs is {epochs:g}, which is {count(round(meant))} steps, and "
        f"max_steps is {count(steps)}; only max_steps counts, and {happens}",
        where=settings.where("max_steps"),
        evidence={"max_steps": steps, "steps_of_epochs": round(meant), "epochs": epochs},
        remedy="delete max_steps, if the epochs are meant",
        alternatives=("delete num_train_epochs, if the steps are meant",),
        # 3 epochs are the default: who states them anew may not mean anything by it.
        severity=Severity.NOTE if epochs == default or steps > meant else None,
    )


TOLERANCE = 0.1
"""A tenth more or less is how people round."""

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, Train, check
from pipedoctor.facts import Rows, Settings


@check(
    "DAT014",
    Severity.ERROR,
    stage=Stage.ARGUMENTS,
    symptoms={r"max_steps has to be specified": "state max_steps, the optimizer steps to train"},
)
def streaming_data_without_max_steps(rows: Train[Rows], settings: Settings) -> Iterator[Finding]:
    """
    The training data has no length, and `max_steps` does not say when to stop.

    Trainer counts the steps of an epoch by the number of rows. Streamed data has none, so
    `num_train_epochs` means nothing, and neither the end of the training nor the learning rate's
    way down to it can be computed. Trainer refuses to start.

    Fails:

        settings = {"num_train_epochs": 3}
        train_data = ({"input_ids": [2, 5, 3], "label": row % 2} for row in range(16))

    Passes:

        settings = {"max_steps": 1000}
        train_data = ({"input_ids": [2, 5, 3], "label": row % 2} for row in range(16))

    Passes:

        settings = {"num_train_epochs": 3}
        train_data = [{"input_ids": [2, 5, 3], "label": row % 2} for row in range(16)]

    See also: <https://github.com/huggingface/transformers/issues/12499>.
    """
    if rows.used is not None or settings.max_steps > 0:
        return
    each = settings.get("per_device_train_batch_size", 8) * settings.get(
        "gradient_accumulation_steps", 1
    )
    yield Finding(
        message=f"max_steps is {settings.max_steps} and the training data has no length: the "
        "number of steps can't be known",
        where=settings.where("max_steps"),
        evidence={
            "max_steps": settings.max_steps,
            "num_train_epochs": settings.get("num_train_epochs"),
            "rows": None,
            "rows_per_step": each,
        },
        remedy=f"set max_steps to the rows that you want to train on, divided by {each:,} rows a "
        f"step and device: max_steps=1000 sees {1000 * each:,}",
    )

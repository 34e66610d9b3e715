from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, Train, check
from pipedoctor.facts import Rows, Settings

STRATEGY, OLD = "train_sampling_strategy", "group_by_length"


@check("HYP019", Severity.WARNING, stage=Stage.ARGUMENTS)
def sampling_strategy_without_effect(settings: Settings, rows: Train[Rows]) -> Iterator[Finding]:
    """
    An order is asked for in which the rows are drawn, but streamed data comes as it comes.

    To group rows by length, Trainer must reach any of them. Of an `IterableDataset` it takes the
    next one: `train_sampling_strategy` is ignored, which is said in a log line of level info
    only. Batches are then padded to their longest row as before, and nothing is shuffled.

    Fails:

        settings = {"train_sampling_strategy": "group_by_length", "max_steps": 100}
        train_data = ({"input_ids": [2, 5, 3], "label": row % 2} for row in range(16))
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {"train_sampling_strategy": "group_by_length", "max_steps": 100}
        train_data = [{"input_ids": [2, 5, 3], "label": row % 2} for row in range(16)]
        environment = {"transformers": "5.23.0"}
    """
    if rows.used is not None or rows.known("batches"):
        return
    asked = settings.stated.get(STRATEGY)
    key = STRATEGY if asked not in {None, "random", "sequential"} else OLD
    if key == OLD and (
        settings.stated.get(OLD) is not True or OLD not in settings.arguments.fields
    ):
        return
    yield Finding(
        message=f"{key} is {asked if key == STRATEGY else True!r}, and the training data has no "
        "length: its rows are taken in their own order, whatever it says",
        where=settings.where(key),
        evidence={"argument": key, "value": settings.stated[key], "rows": None},
        remedy=f"delete {key}, and shuffle the stream: dataset.shuffle(seed=42, buffer_size=10_000)",
    )

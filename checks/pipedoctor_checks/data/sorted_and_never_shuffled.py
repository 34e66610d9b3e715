from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pipedoctor import Finding, Severity, Stage, Train, check
from pipedoctor.facts import LabelOrder, Settings
from pipedoctor.units import count

SORTED = 2
"""Where all rows of a label come at once, so many batches with no other are told."""


@check("DAT012", Severity.WARNING, stage=Stage.DATA)
def sorted_and_never_shuffled(
    order: Train[LabelOrder], settings: Settings | None, *, batches: int = 10
) -> Iterator[Finding]:
    """
    The rows are sorted by their label, and training takes them in that order.

    For many steps in a row the model sees one class only, and learns to answer it whatever it is
    asked; then it sees the next, and forgets. The labels change from row to row far more rarely
    than in a random order (by 6 standard deviations), and one class fills at least `batches`
    batches in a row, or two where each label comes in one single stretch. Trainer shuffles the
    training data unless it is told not to; a `DataLoader` does not unless it is told to. Of a loop
    of the script's own, those labels are looked at that its first steps were given.

    Fails:

        from datasets import Dataset

        train_data = Dataset.from_dict(
            {"input_ids": [[n, n + 1] for n in range(400)], "labels": [0] * 200 + [1] * 200}
        )
        settings = {"train_sampling_strategy": "sequential"}
        environment = {"transformers": "5.23.0"}

    Passes:

        from datasets import Dataset

        train_data = Dataset.from_dict(
            {"input_ids": [[n, n + 1] for n in range(400)], "labels": [0] * 200 + [1] * 200}
        )
        settings = {"train_sampling_strategy": "random"}
        environment = {"transformers": "5.23.0"}

    See also: <https://huggingface.co/docs/transformers/main_classes/trainer>.
    """
    if order.classes < 2 or order.shuffled:
        return
    size = settings.get("per_device_train_batch_size") if settings is not None else None
    size = order.batch if order.known("batch") else size
    size = size if isinstance(size, int) and size > 0 else 8
    least = SORTED if order.runs == order.classes else batches
    if order.runs > order.expected - 6 * order.deviation or order.longest < least * size:
        return
    remedy = "train_data = train_data.shuffle(seed=42)"
    yield Finding(
        message=f"The label changes {count(order.runs - 1)} times in {count(order.rows)} rows (in a "
        f"random order about {count(round(order.expected) - 1)} times), and the rows are not shuffled: "
        f"{order.unshuffled_by}. From row {count(order.begins)} on, {count(order.longest)} rows, "
        f"{count(order.longest // size)} batches, are all of label {order.label}",
        where=replace(order.where, rows=(order.begins,)),
        evidence={
            "rows": order.rows,
            "runs": order.runs,
            "expected": round(order.expected, 1),
            "longest": order.longest,
            "label": order.label,
        },
        remedy="DataLoader(…, shuffle=True)" if order.known("batch") else remedy,
        alternatives=(settings.entry("train_sampling_strategy", "random"),)
        if settings is not None and "train_sampling_strategy" in settings.stated
        else (),
    )

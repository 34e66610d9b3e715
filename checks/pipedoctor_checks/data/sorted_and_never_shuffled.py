from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pipedoctor import Finding, Severity, Stage, Train, check
from pipedoctor.facts import Head, LabelOrder, Settings
from pipedoctor.units import count

BUFFER = (
    "mix the rows before they are streamed; train_data.shuffle(seed=42, buffer_size=10_000) of "
    "datasets mixes no more rows than its buffer holds"
)

RARE = 0.001
"""What happens more rarely in a random order is told."""


@check("DAT012", Severity.WARNING, stage=Stage.DATA)
def sorted_and_never_shuffled(
    order: Train[LabelOrder],
    settings: Settings | None,
    head: Head | None = None,
    *,
    batches: int = 10,
) -> Iterator[Finding]:
    """
    The rows are sorted by their label, and training takes them in that order.

    For many steps in a row the model sees one class only, and learns to answer it whatever it is
    asked; then it sees the next, and forgets. The labels change from row to row far more rarely
    than in a random order (by 6 standard deviations), and one class fills at least `batches`
    batches in a row. Trainer shuffles the training data unless it is told not to. A stream is
    taken as it comes, and its first 1,000 rows are looked at. Where these are all of one label,
    although the model tells several apart, that is a note: nothing is known of the others.

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
    size = settings.get("per_device_train_batch_size") if settings is not None else None
    size = size if isinstance(size, int) and size > 0 else 8
    if order.shuffled or order.longest < batches * size:
        return
    if order.stream and order.classes == 1 and head is not None and head.known("outputs"):
        yield from _one_label(order, head.outputs)
    if order.classes < 2 or order.runs > order.expected - 6 * order.deviation:
        return
    of_a_stream = "the first " if order.stream else ""
    yield Finding(
        message=f"The label changes {count(order.runs - 1)} times in {of_a_stream}{count(order.rows)} "
        f"rows (in a random order about {count(round(order.expected) - 1)} times), and the rows are "
        f"not shuffled: {order.unshuffled_by}. From row {count(order.begins)} on, "
        f"{count(order.longest)} rows, {count(order.longest // size)} batches, are all of label "
        f"{order.label}",
        where=replace(order.where, rows=(order.begins,)),
        evidence=_evidence(order),
        remedy=BUFFER if order.stream else "train_data = train_data.shuffle(seed=42)",
        alternatives=(settings.entry("train_sampling_strategy", "random"),)
        if settings is not None and "train_sampling_strategy" in settings.stated
        else (),
    )


def _one_label(order: LabelOrder, outputs: int) -> Iterator[Finding]:
    """Yield the note on a stream that begins with one label only."""
    if outputs < 2:
        return
    share = RARE ** (1 / order.rows)
    yield Finding(
        message=f"The first {count(order.rows)} rows of the stream are all of label {order.label}, and "
        f"the model tells {outputs} apart. In a random order that happens in less than {RARE:.1%} of "
        f"cases, unless more than {share:.1%} of all rows have this label",
        where=replace(order.where, rows=(0,)),
        evidence=_evidence(order) | {"outputs": outputs, "share": share},
        remedy=f"if the others come later: {BUFFER}",
        severity=Severity.NOTE,
    )


def _evidence(order: LabelOrder) -> dict[str, object]:
    return {
        "rows": order.rows,
        "runs": order.runs,
        "expected": round(order.expected, 1),
        "longest": order.longest,
        "label": order.label,
    }

from collections.abc import Iterator
from dataclasses import replace

from pipedoctor import Finding, Severity, Stage, Train, Unavailable, check
from pipedoctor.facts import Batch, Collator, Head, Labels
from pipedoctor.facts.head import SINGLE
from pipedoctor.facts.labels import listed

LONGEST = 12
"""A table of more classes than this is not worth printing; `class_encode_column` makes it."""


@check(
    "LAB002",
    Severity.ERROR,
    stage=Stage.DATA,
    symptoms={
        r"too many dimensions 'str'": (
            'number the labels: train_data = train_data.class_encode_column("label")'
        ),
    },
    explains=("DAT004", "LAB001", "LOS002", "NUM001"),
)
def labels_do_not_start_at_zero(
    labels: Train[Labels],
    head: Head | None,
    batch: Train[Batch] | None,
    collator: Collator | None,
) -> Iterator[Finding]:
    """
    The labels are not the numbers 0 to n-1: they start at 1, have gaps, or are still text.

    The loss takes a label for the index of an output. Labels from 1 to n leave the first output
    unused and ask for one after the last; -1 and 1 ask for one before the first; text can't be
    made a tensor at all. The number of classes fits the head, so a new numbering is all that is
    needed. Where one class merely does not occur in the data, nothing is wrong.

    Fails:

        train_data = {"text": ["poor", "fair", "good"], "label": [1, 2, 3]}
        settings = {"num_labels": 3}

    Fails:

        train_data = {"text": ["poor", "fair", "good"], "label": ["low", "middle", "high"]}
        settings = {"num_labels": 3}

    Passes:

        train_data = {"text": ["poor", "fair", "good"], "label": [0, 1, 2]}
        settings = {"num_labels": 3}

    See also: <https://github.com/huggingface/transformers/issues/11256>.
    """
    if labels.kind == "text" and not labels.width and not labels.per_token:
        if batch is None and collator is not None and not collator.known("pads"):
            raise Unavailable("whether the collator numbers the labels is not known")
        if batch is None or batch.labels is None:
            yield _finding(labels, tuple(sorted(map(str, labels.counts))), head)
        return
    if labels.kind != "int" or labels.width:
        return
    if head is None:
        raise Unavailable("the number of outputs is not known")
    if head.problem("int64") != SINGLE:
        return
    classes = labels.classes
    fits = all(0 <= value < head.outputs for value in classes)
    if not fits and len(classes) <= head.outputs:
        yield _finding(labels, classes, head)


def _finding(
    labels: Labels, classes: tuple[str, ...] | tuple[int, ...], head: Head | None
) -> Finding:
    outside = [
        value
        for value in classes
        if isinstance(value, str) or head is None or not 0 <= value < head.outputs
    ]
    table = {value: new for new, value in enumerate(classes)}
    count, share = labels.shares(set(outside))
    unit = "tokens" if labels.per_token else "rows"
    known = "" if head is None else f"; the head has {head.outputs} outputs"
    what = (
        f"text ({listed(map(repr, classes))})" if labels.kind == "text" else listed(classes)
    )
    return Finding(
        message=f"The labels are {what}, not 0 to {len(classes) - 1}{known}: {count:,} {unit} "
        f"({share:.0%}) have none that it can learn",
        where=replace(
            labels.where,
            column=labels.column,
            split="train",
            rows=tuple(row for value in outside for row in labels.examples.get(value, ())[:1])[:3],
        ),
        evidence={
            "labels": list(classes),
            "counts": {str(value): number for value, number in labels.counts.items()},
            "num_labels": None if head is None else head.outputs,
            "numbering": {str(value): new for value, new in table.items()},
        },
        remedy=_remedy(labels, classes, table),
        alternatives=_alternatives(labels, classes),
    )


def _remedy(
    labels: Labels,
    classes: tuple[str, ...] | tuple[int, ...],
    table: dict[str, int] | dict[int, int] | dict[str | int, int],
) -> str:
    column = labels.column
    encode = f'train_data = train_data.class_encode_column("{column}")'
    if labels.per_token:
        return f"number the labels of the tokens from 0: {table}"
    first = classes[0]
    if isinstance(first, int) and classes == tuple(range(first, first + len(classes))):
        step = f"- {first}" if first > 0 else f"+ {-first}"
        change = f'train_data.map(lambda row: {{"{column}": row["{column}"] {step}}})'
        return f"train_data = {change}, and the evaluation data likewise"
    if labels.kind == "text" or len(classes) > LONGEST:
        return f"{encode}, which numbers them from 0 to {len(classes) - 1}; " \
            "the evaluation data by the same table"
    change = f'train_data.map(lambda row: {{"{column}": table[row["{column}"]]}})'
    return f"table = {table}; train_data = {change}, and the evaluation data likewise"


def _alternatives(
    labels: Labels, classes: tuple[str, ...] | tuple[int, ...]
) -> tuple[str, ...]:
    if labels.kind == "int" and classes[0] == -1:
        return (
            "if -1 stands for no label: train_data = train_data.filter(lambda row: "
            f'row["{labels.column}"] != -1)',
        )
    return ()

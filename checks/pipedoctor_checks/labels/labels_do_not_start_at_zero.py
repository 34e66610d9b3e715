from collections.abc import Iterator
from dataclasses import replace

from pipedoctor import Finding, Severity, Stage, Train, Unavailable, check
from pipedoctor.facts import Batch, Collator, Forward, Head, Labels
from pipedoctor.facts.head import SINGLE
from pipedoctor.facts.labels import IGNORED, listed
from pipedoctor_checks.labels._heads import judged, renumbered

LONGEST = 12
"""A table of more classes than this is computed in the remedy, not printed."""


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
    forward: Train[Forward] | None,
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
    if labels.width not in {None, 1}:
        return
    if labels.kind == "text" and not labels.per_token:
        if batch is None and collator is not None and not collator.known("pads"):
            raise Unavailable("whether the collator numbers the labels is not known")
        if batch is None or batch.labels is None:
            yield _text(labels)
    if labels.kind != "int":
        return
    if head is None:
        raise Unavailable("the number of outputs is not known")
    if head.vocabulary:
        return  # the labels are token ids: token-id-beyond-embedding looks at these
    classes = judged(labels, head)
    fits = all(0 <= value < head.outputs for value in classes)
    if not fits and len(classes) <= head.outputs and head.problem("int64") == SINGLE:
        if renumbered(labels, collator, forward):
            raise Unavailable("the collator gives the rows other labels than the data has")
        yield _numbers(labels, head)


def _text(labels: Labels) -> Finding:
    classes = sorted(map(str, labels.counts))
    column = labels.column
    numbered = set(classes) == {str(number) for number in range(len(classes))}
    cast = "; numbers that a script makes of a text column in map() are cast back to text"
    return Finding(
        message=f"The {len(classes)} labels are text ({listed(map(repr, classes))}); the loss takes "
        f"the numbers 0 to {len(classes) - 1}, and none of the {labels.rows:,} rows can be learned"
        + (cast if numbered else ""),
        where=replace(labels.where, column=column, split="train"),
        evidence={"labels": classes, "counts": dict(labels.counts), "rows": labels.rows},
        remedy=f'train_data = train_data.class_encode_column("{column}"), then eval_data = '
        f'eval_data.cast_column("{column}", train_data.features["{column}"])',
        alternatives=(f"write whole numbers into the column {column} of the file",),
    )


def _numbers(labels: Labels, head: Head) -> Finding:
    classes, outputs, column = labels.classes, head.outputs, labels.column
    outside = [value for value in classes if not 0 <= value < outputs]
    count, share = labels.shares(outside)
    unit = "tokens" if labels.per_token else "rows"
    rows = tuple(row for value in outside for row in labels.examples.get(value, ())[:1])
    no_label = f'train_data = train_data.filter(lambda row: row["{column}"] != -1)'
    return Finding(
        message=f"The labels are {listed(classes)} and the head has {outputs} outputs, for 0 to "
        f"{outputs - 1}: {count:,} of {sum(labels.counts.values()):,} {unit} ({share:.0%}) ask for "
        "an output that is not there",
        where=replace(labels.where, column=column, split="train", rows=rows[:3]),
        evidence={
            "labels": list(classes),
            "counts": {str(value): number for value, number in labels.counts.items()},
            "num_labels": outputs,
            "numbering": {str(value): number for number, value in enumerate(classes)},
        },
        remedy=_renumber(labels),
        alternatives=(f"if -1 stands for no label: {no_label}",) if classes[0] == -1 else (),
    )


def _renumber(labels: Labels) -> str:
    classes, column = labels.classes, labels.column
    first, last = classes[0], classes[-1]
    table = {value: number for number, value in enumerate(classes)}
    if labels.per_token:
        return f"number the labels of the tokens anew: {table}, and {IGNORED} as it is"
    if last - first == len(classes) - 1:
        step = f"- {first}" if first > 0 else f"+ {-first}"
        change = f'train_data.map(lambda row: {{"{column}": row["{column}"] {step}}})'
        return f"train_data = {change}, and the evaluation data likewise"
    change = f'train_data.map(lambda row: {{"{column}": table[row["{column}"]]}})'
    if len(classes) <= LONGEST:
        return f"table = {table}; train_data = {change}, and the evaluation data likewise"
    listing = (
        f'table = {{old: new for new, old in enumerate(sorted(set(train_data["{column}"])))}}'
    )
    return f"{listing}; train_data = {change}, and the evaluation data likewise"

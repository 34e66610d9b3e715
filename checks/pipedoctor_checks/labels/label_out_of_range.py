from collections.abc import Iterator

from pipedoctor import Finding, Severity, Split, Stage, Train, Unavailable, check
from pipedoctor.facts import Collator, Forward, Head, Labels
from pipedoctor.facts.head import MULTI, SINGLE
from pipedoctor.facts.labels import IGNORED, listed
from pipedoctor.fix import Fix
from pipedoctor_checks.labels._heads import judged, place, renumbered, resized, sized

UNLABELLED = -1
"""What many data sets (GLUE's test splits, SNLI) write where nobody knows the label."""

ON_CPU = (
    "run it once on the CPU, where the error names the label; most often num_labels is too small"
)


@check(
    "LAB001",
    Severity.ERROR,
    stage=Stage.MODEL,
    symptoms={
        r"Target -?\d+ is out of bounds": "set num_labels to the number of classes of the data",
        r"Target size \(torch\.Size\(\[\d+, \d+\]\)\) must be the same as input size": (
            "set num_labels to the number of labels that each row has"
        ),
        r"device-side assert": ON_CPU,
        r"CUBLAS_STATUS_(ALLOC_FAILED|NOT_INITIALIZED|EXECUTION_FAILED)": ON_CPU,
    },
    explains=("LOS002", "NUM001"),
)
def label_out_of_range(
    labels: Labels,
    train: Train[Labels] | None,
    head: Head,
    collator: Collator | None,
    forward: Forward | None,
) -> Iterator[Finding]:
    """
    The data has labels that the model's head has no output for.

    A head with n outputs knows the labels 0 to n-1. `num_labels` is 2 unless somebody states it,
    so three classes meet two outputs. On a CPU the loss raises "Target 2 is out of bounds"; on
    a GPU it is a device-side assert at whatever line comes later, or, with some compilers, a loss
    of NaN. The label -100 is left out by the loss and does no harm; -1 is not.

    Fails:

        train_data = {"text": ["yes", "no", "perhaps", "no"], "label": [0, 1, 2, 1]}
        settings = {"num_labels": 2}

    Fails:

        from datasets import Dataset
        from transformers import BertConfig, BertForSequenceClassification

        model = BertForSequenceClassification(
            BertConfig(
                vocab_size=100,
                hidden_size=16,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=16,
            )
        )
        train_data = Dataset.from_dict(
            {"input_ids": [[2, 5, 3], [2, 6, 3], [2, 7, 3]], "labels": [0, 1, 2]}
        )

    Passes:

        train_data = {"text": ["yes", "no", "perhaps", "no"], "label": [0, 1, 2, 1]}
        settings = {"num_labels": 3}

    See also: <https://huggingface.co/learn/llm-course/chapter8/4>.
    """
    split = Split.TRAIN if labels is train else Split.EVAL
    if labels.width not in {None, 1}:
        if labels.width and not labels.per_token and _multi(labels, head):
            yield from _width(labels, head, split)
        return
    if labels.kind not in {"int", "bool"} or head.problem("int64") != SINGLE:
        return
    if head.vocabulary or (head.per_token and head.outputs >= Labels.MOST_DISTINCT):
        return  # a vocabulary: token-id-beyond-embedding looks at these
    if labels.partial:
        yield from _some(labels, head, split, collator, forward)
        return
    if not labels.known("counts"):
        yield from _range(labels, head, split)
        return
    classes = judged(labels, head)
    wrong = [value for value in classes if not 0 <= value < head.outputs]
    if not wrong or (split is Split.EVAL and _told(wrong, train)):
        return
    if split is Split.TRAIN and len(classes) <= head.outputs:
        return  # they would fit if renumbered: labels-do-not-start-at-zero says how
    if renumbered(labels, collator, forward):
        raise Unavailable("the collator gives the rows other labels than the data has")
    count, share = labels.shares(wrong)
    unit = "tokens" if labels.per_token else "rows"
    total = sum(labels.counts.values())
    rows = _examples(labels, wrong)
    whose = "data has" if split is Split.TRAIN else "evaluation data has"
    fate = "cannot be learned" if split is Split.TRAIN else "make the evaluation fail"
    yield Finding(
        message=f"The {whose} labels {listed(labels.classes)} but the head has "
        f"{head.outputs} outputs; {count:,} of {total:,} {unit} ({share:{'.0%' if share >= 0.01 else '.2%'}}) {fate}"
        + "".join(_quoted(labels, row) for row in rows[:1]),
        where=place(labels, head, split, rows),
        evidence={
            "num_labels": head.outputs,
            "labels": list(labels.classes),
            "counts": {str(value): labels.counts[value] for value in labels.counts},
            "out_of_range": wrong,
            "examples": [
                {"row": row, "label": _label_of(labels, row), "text": labels.texts.get(row)}
                for row in rows
            ],
        },
        remedy=_remedy(labels, head, wrong, split),
        alternatives=_alternatives(labels, head, wrong, split),
        fix=_fix(labels, head, split),
    )


def _multi(labels: Labels, head: Head) -> bool:
    return (
        head.casts_labels
        or head.problem("float32" if labels.kind == "float" else "int64") == MULTI
    )


def _width(labels: Labels, head: Head, split: Split) -> Iterator[Finding]:
    """Tell of rows with another number of labels than the head has outputs."""
    if labels.width != head.outputs:
        yield Finding(
            message=f"Each row of {labels.column} has {labels.width} labels and the head has "
            f"{head.outputs} outputs",
            where=place(labels, head, split),
            evidence={"num_labels": head.outputs, "labels_per_row": labels.width},
            remedy=sized(head, labels.width or 0),
        )


def _range(labels: Labels, head: Head, split: Split) -> Iterator[Finding]:
    """Tell of labels too many to be counted, by the smallest and the largest."""
    low, high = int(labels.minimum), int(labels.maximum)
    if high >= head.outputs or (low < 0 and low != IGNORED):
        yield Finding(
            message=f"The labels go from {low:,} to {high:,} but the head has {head.outputs} outputs",
            where=place(labels, head, split),
            evidence={"num_labels": head.outputs, "minimum": low, "maximum": high},
            remedy='num_labels=1, problem_type="regression", if the labels are quantities',
            alternatives=(f"{sized(head, high + 1)}, if they are classes numbered from 0",),
        )


def _some(
    labels: Labels,
    head: Head,
    split: Split,
    collator: Collator | None,
    forward: Forward | None,
) -> Iterator[Finding]:
    """Tell of labels among the rows that were read; the others may hold more."""
    classes = {int(value) for value in labels.seen} - {IGNORED}
    wrong = sorted(value for value in classes if not 0 <= value < head.outputs)
    if not wrong or renumbered(labels, collator, forward):
        _ = labels.counts  # raises: what the rows that were not read hold is not known
    rows = _examples(labels, wrong)
    count = sum(labels.seen[value] for value in wrong)
    of = "" if labels.of is None else f" (of {labels.of:,})"
    unit = "tokens" if labels.per_token else "rows"
    yield Finding(
        message=f"{labels.rows:,} rows{of} were read: {count:,} {unit} have the labels "
        f"{listed(wrong)}, and the head has {head.outputs} outputs, for 0 to {head.outputs - 1}"
        + "".join(_quoted(labels, row) for row in rows[:1]),
        where=place(labels, head, split, rows),
        evidence={
            "num_labels": head.outputs,
            "seen": {str(value): number for value, number in labels.seen.items()},
            "out_of_range": wrong,
            "rows_read": labels.rows,
            "rows": labels.of,
        },
        remedy="number the classes of all rows from 0 to n-1, and state num_labels=n"
        + (f", at least {max(wrong) + 1}" if min(wrong) >= 0 else ""),
    )


def _told(wrong: list[int], train: Labels | None) -> bool:
    """Whether the training data has these labels too, and what is said of them is enough."""
    return train is not None and train.known("counts") and set(wrong) <= set(train.classes)


def _remedy(labels: Labels, head: Head, wrong: list[int], split: Split) -> str:
    classes, name = labels.classes, f"{split.value}_data"
    if split is Split.EVAL:
        text = "number the evaluation labels by the table of the training data, which has no "
        drop = "" if labels.per_token else f"; or {_filter(name, labels.column, head.outputs)}"
        return f"{text}{listed(wrong)}{drop}"
    if wrong == [UNLABELLED] and labels.per_token:
        return f"give the tokens without a label {IGNORED}, which the loss ignores, instead of -1"
    if wrong == [UNLABELLED]:
        return f"leave out the rows without a label: {_filter(name, labels.column, head.outputs)}"
    number = len(classes)
    if classes == tuple(range(number)):
        return sized(head, number)
    table = {value: new for new, value in enumerate(classes)}
    if number > 20:
        return f'{sized(head, number)}, and {name} = {name}.class_encode_column("{labels.column}")'
    return f"{sized(head, number)}, and number the labels from 0: {table}"


def _fix(labels: Labels, head: Head, split: Split) -> Fix | None:
    """Return the fix of a head that is too small for classes numbered as they should be."""
    number = len(labels.classes)
    numbered = split is Split.TRAIN and labels.classes == tuple(range(number))
    return resized(head, number) if numbered else None


def _alternatives(labels: Labels, head: Head, wrong: list[int], split: Split) -> tuple[str, ...]:
    if split is Split.EVAL or UNLABELLED not in wrong:
        return ()
    if len(wrong) == 1:
        return (f"{sized(head, head.outputs + 1)} and add 1 to each label, if -1 is a class",)
    drop = f'train_data = train_data.filter(lambda row: row["{labels.column}"] != -1)'
    return (f"if -1 stands for no label: {drop}, and {sized(head, max(labels.classes) + 1)}",)


def _filter(name: str, column: str, outputs: int) -> str:
    return f'{name} = {name}.filter(lambda row: 0 <= row["{column}"] < {outputs})'


def _examples(labels: Labels, wrong: list[int]) -> tuple[int, ...]:
    """Return up to three rows that hold such labels, of different labels first."""
    found = [labels.examples.get(value, ()) for value in wrong]
    depth = max(map(len, found), default=0)
    rows = [some[rank] for rank in range(depth) for some in found if rank < len(some)]
    return tuple(dict.fromkeys(rows))[:3]


def _label_of(labels: Labels, row: int) -> object:
    return next((value for value, rows in labels.examples.items() if row in rows), None)


def _quoted(labels: Labels, row: int) -> str:
    """Return a row's text and label, where they are known: such as row 2 ("…") → label 2."""
    if row not in labels.texts:
        return ""
    value = _label_of(labels, row)
    name = labels.names.get(value) if isinstance(value, int) else None
    return f'; row {row:,} is "{labels.texts[row]}" → {value}{f" ({name})" if name else ""}'

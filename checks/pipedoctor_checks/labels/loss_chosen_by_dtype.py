from collections.abc import Iterator
from dataclasses import replace

from pipedoctor import Finding, Severity, Split, Stage, Train, check
from pipedoctor.facts import Batch, Collator, Head, Labels
from pipedoctor.facts.head import MULTI, REGRESSION, SINGLE
from pipedoctor.facts.labels import listed
from pipedoctor_checks.labels._heads import dtype as dtype_of
from pipedoctor_checks.labels._heads import place, sized

LOSSES = {
    SINGLE: "cross-entropy, for one class a row",
    MULTI: "binary cross-entropy, for several labels a row",
    REGRESSION: "the squared error, for quantities",
}

INTEGERS = frozenset({"int64", "int32", "uint8"})
"""What cross-entropy takes for the index of a class."""

MOST_CLASSES = 20
"""More distinct whole numbers than this are rather quantities than classes."""


@check(
    "LAB006",
    Severity.ERROR,
    stage=Stage.LOSS,
    symptoms={
        r"Target size \(torch\.Size\(\[\d+\]\)\) must be the same as input size": (
            "with one class a row, give the labels the type int64; the loss follows from it"
        ),
        r"expected (target dtype to be|scalar type) Long": (
            "give the labels of classes the type int64"
        ),
    },
    explains=("LOS002",),
)
def loss_chosen_by_dtype(
    labels: Labels,
    train: Train[Labels] | None,
    head: Head,
    batch: Batch | None,
    collator: Collator | None,
) -> Iterator[Finding]:
    """
    The loss follows from the type of the labels, and it is not the loss that the labels need.

    Where `problem_type` is not stated, Transformers looks at the first batch: one output makes it
    a regression; with more outputs, integers make it a classification, and any other type makes
    it one with several labels a row. (DeBERTa goes by the shape instead, and takes lists of 0 and 1
    for shares of one class.) Classes stored as 0.0, 1.0, 2.0, as a table with a missing
    value comes out of pandas, or as true and false, then get the wrong loss. Mostly that fails in
    the first step, with a message about sizes; with one output nothing fails, and the model
    learns to predict a number where it should choose.

    Fails:

        train_data = {"text": ["yes", "no", "perhaps"], "label": [0.0, 1.0, 2.0]}
        settings = {"num_labels": 3}

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
            {"input_ids": [[2, 5, 3], [2, 6, 3]], "labels": [True, False]}
        )

    Passes:

        train_data = {"text": ["yes", "no", "perhaps"], "label": [0, 1, 2]}
        settings = {"num_labels": 3}

    See also: <https://huggingface.co/docs/transformers/main_classes/configuration>.
    """
    if labels.kind not in {"int", "float", "bool"} or labels.per_token != head.per_token:
        return
    split = Split.TRAIN if labels is train else Split.EVAL
    if labels.width not in {None, 1}:
        if head.casts_labels and _several_are_true(labels):
            yield _shares(labels, split)
        return
    dtype = dtype_of(labels, batch, collator)
    problem = head.problem(dtype)
    told = f" ({listed(sorted(labels.counts))})" if labels.known("counts") else ""
    if problem == SINGLE and dtype not in INTEGERS and not head.casts_labels:
        fault = f"it takes int64, and the labels{told} are {dtype}"
    elif problem != SINGLE and head.outputs > 1:
        fault = f"it compares {head.outputs} outputs with as many labels, and a row has one{told}"
    elif problem == REGRESSION and _classes_as_floats(labels, head, dtype):
        fault = f"the labels{told} look like classes, among which the model should choose"
    else:
        return
    yield Finding(
        message=f"The loss is {LOSSES[problem]}, because {_reason(head, dtype)}; {fault}",
        where=place(labels, head, split)
        if head.stated
        else replace(labels.where, column=labels.column, split=split.value),
        evidence={
            "dtype": dtype,
            "outputs": head.outputs,
            "problem_type": problem,
            "stated": head.stated,
        },
        remedy=_remedy(labels, head, split, dtype),
        alternatives=('problem_type="regression", if the labels are quantities',)
        if head.outputs == 1
        else (),
        severity=_severity(labels, head),
    )


def _several_are_true(labels: Labels) -> bool:
    """Whether these are lists of 0 and 1 with another number of ones than one a row."""
    known = (labels.known("counts") or labels.partial) and set(labels.counts) == {0, 1}
    return known and labels.counts[1] != labels.rows


def _shares(labels: Labels, split: Split) -> Finding:
    ones = labels.counts[1]
    return Finding(
        message=f"The loss is cross-entropy, with the {labels.width} labels of a row as shares, "
        "because DeBERTa judges lists so where no problem_type is stated; the "
        f"{labels.rows:,} rows have {ones:,} ones, so they are no shares",
        where=replace(labels.where, column=labels.column, split=split.value),
        evidence={"rows": labels.rows, "ones": ones, "labels_per_row": labels.width},
        remedy=f'problem_type="{MULTI}" in from_pretrained, with float32 labels',
        severity=Severity.WARNING,
    )


def _classes_as_floats(labels: Labels, head: Head, dtype: str) -> bool:
    """Whether these are 0.0 to n-1.0, few of them, and nobody said that they are quantities."""
    if dtype in INTEGERS or labels.kind != "float" or head.stated:
        return False
    if not (labels.known("counts") or labels.partial):
        return False
    if not 2 <= len(labels.counts) <= MOST_CLASSES:
        return False
    return sorted(map(float, labels.counts)) == [*map(float, range(len(labels.counts)))]


def _severity(labels: Labels, head: Head) -> Severity | None:
    if head.outputs > 1:
        return None
    # 0 to n-1 may also be a scale, such as grades; two values hardly are one.
    return Severity.WARNING if len(labels.counts) == 2 else Severity.NOTE


def _reason(head: Head, dtype: str) -> str:
    if head.per_token:
        return "the head judges tokens"
    if head.stated:
        return f'problem_type="{head.problem_type}" is stated'
    if head.outputs == 1:
        return "the head has 1 output"
    return f"the labels are {dtype} and the head has {head.outputs} outputs"


def _remedy(labels: Labels, head: Head, split: Split, dtype: str) -> str:
    whole = labels.kind != "float" or (
        labels.known("counts")
        and len(labels.counts) <= MOST_CLASSES
        and all(float(value).is_integer() for value in labels.counts)
    )
    if not whole:
        return f"{sized(head, 1)}: the labels are no whole numbers, so no classes"
    name, column = f"{split.value}_data", labels.column
    changes = []
    if dtype not in INTEGERS:
        cast = f'cast_column("{column}", datasets.Value("int64"))'
        changes.append(f"{name} = {name}.{cast}")
    if head.outputs == 1:
        changes.append(sized(head, len(labels.counts)))
    elif head.stated and head.problem_type != SINGLE:
        changes.append(f'problem_type="{SINGLE}"')
    return ", and ".join(changes)

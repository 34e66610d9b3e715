from collections.abc import Iterator
from dataclasses import replace

from pipedoctor import Finding, Severity, Split, Stage, Train, check
from pipedoctor.facts import Batch, Collator, Head, Labels
from pipedoctor.facts.head import REGRESSION
from pipedoctor_checks.labels._heads import dtype as dtype_of

FLOATS = ("float", "bfloat", "double", "half")

CAST = (
    'cast the labels: train_data = train_data.cast_column("labels", '
    'datasets.Sequence(datasets.Value("float32")))'
)


@check(
    "LAB005",
    Severity.ERROR,
    stage=Stage.LOSS,
    symptoms={
        r"result type Float can't be cast to the desired output type Long": CAST,
        r"Subtraction, the `-` operator, with two bool tensors": CAST,
        r"Expected input batch_size \(\d+\) to match target batch_size \(\d+\)": (
            "if a row has several labels, make them float32; if it has one, give the labels the "
            "shape (rows,)"
        ),
    },
)
def multi_label_target_not_float(
    labels: Labels,
    train: Train[Labels] | None,
    head: Head,
    batch: Batch | None,
    collator: Collator | None,
) -> Iterator[Finding]:
    """
    Each row has several labels, and they are integers where the loss takes floats.

    With several labels a row the loss compares each output with a target of 0.0 or 1.0, and takes
    no integers. Where `problem_type` is not stated, integers even make the model choose the loss
    for one class a row, which then complains about the size of the batch. `map` does not help:
    it casts what it gets back to the type that the column has; `cast_column` does.

    Fails:

        train_data = {"text": ["cheap, good", "bad"], "labels": [[1, 1, 0], [0, 0, 1]]}
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
                num_labels=3,
                problem_type="multi_label_classification",
            )
        )
        train_data = Dataset.from_dict(
            {"input_ids": [[2, 5, 3], [2, 6, 3]], "labels": [[1, 1, 0], [0, 0, 1]]}
        )

    Passes:

        train_data = {"text": ["cheap, good", "bad"], "labels": [[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]}
        settings = {"num_labels": 3}

    See also: <https://github.com/ThilinaRajapakse/simpletransformers/issues/454>.
    """
    several = labels.width is not None and labels.width > 1 and not labels.per_token
    if not several or head.per_token or labels.kind not in {"int", "bool"}:
        return
    if head.problem("int64") == REGRESSION or head.casts_labels:
        return
    dtype = dtype_of(labels, batch, collator)
    if dtype.startswith(FLOATS):
        return  # the collator casts them
    split = Split.TRAIN if labels is train else Split.EVAL
    name, column = f"{split.value}_data", labels.column
    yield Finding(
        message=f"Each of {labels.rows:,} rows has {labels.width} labels of type {dtype}; the loss "
        "for several labels a row takes float32",
        where=replace(labels.where, column=column, split=split.value),
        evidence={"dtype": dtype, "labels_per_row": labels.width, "num_labels": head.outputs},
        remedy=f'{name} = {name}.cast_column("{column}", '
        'datasets.Sequence(datasets.Value("float32")))',
    )

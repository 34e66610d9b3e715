from collections.abc import Iterator
from dataclasses import replace

from pipedoctor import Finding, Severity, Split, Stage, Train, Unavailable, check
from pipedoctor.facts import Batch, Columns

OPEN = frozenset({"args", "kwargs"})
"""What a forward is left with that names none of its arguments."""


@check(
    "DAT002",
    Severity.ERROR,
    stage=Stage.DATA,
    symptoms={
        r"No columns in the dataset match the model's forward method signature": (
            "give the columns the names of the arguments of the model's forward, or set "
            "remove_unused_columns=False"
        ),
        r"Invalid key: .* is out of bounds for size 0": (
            "all columns were dropped: give them the names of the arguments of the model's "
            "forward, or set remove_unused_columns=False"
        ),
    },
    explains=("DAT005",),
)
def no_column_matches_the_model(
    columns: Columns, train: Train[Columns] | None, batch: Batch | None
) -> Iterator[Finding]:
    """
    Trainer drops every input: no column has the name of an argument of the model's forward.

    With `remove_unused_columns`, which is the default, Trainer keeps the columns that forward
    takes by name, and the labels. A model whose forward takes `**kwargs`, as a wrapper's does,
    or columns of other names leave it with nothing to train on. If nothing at all is left it
    says so in the first step; if the labels are left, the model misses its inputs.

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
        train_data = Dataset.from_dict({"ids": [[2, 5, 3], [2, 6, 3]], "label": [1, 0]})

    Passes:

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
        train_data = Dataset.from_dict({"input_ids": [[2, 5, 3], [2, 6, 3]], "label": [1, 0]})

    See also: <https://github.com/huggingface/peft/issues/1299>.
    """
    if not columns.filtered or columns.inputs or not columns.types:
        return
    if batch is not None and _has_inputs(batch):
        return  # a transform or the collator makes the inputs of what is left
    if columns.transform is not None and columns.kept:
        raise Unavailable(f"what {columns.transform} makes of the columns is not known")
    raw = columns.texts and not columns.numbered and "input_ids" in columns.accepted
    if raw:
        return  # never tokenised: raw-dataset-given says so
    split = Split.TRAIN if columns is train else Split.EVAL
    arguments = [name for name in columns.accepted if "label" not in name and name not in OPEN]
    yield Finding(
        message=f"Trainer drops {', '.join(columns.dropped) or 'no column'}, and "
        f"{', '.join(columns.kept) or 'nothing'} is left: the model's forward takes "
        + (", ".join(arguments[:6]) if arguments else "no argument by name"),
        where=replace(columns.where, split=split.value),
        evidence={
            "columns": dict(columns.types),
            "kept": list(columns.kept),
            "dropped": list(columns.dropped),
            "forward": list(columns.accepted),
        },
        remedy=_remedy(columns, arguments, f"{split.value}_data"),
    )


def _has_inputs(batch: Batch) -> bool:
    return any("label" not in name and "mask" not in name for name in batch.arrays)


def _remedy(columns: Columns, arguments: list[str], name: str) -> str:
    keep = "remove_unused_columns=False"
    candidates = [c for c in columns.dropped if c in columns.numbered] or list(columns.dropped)
    if not arguments:
        return f"set {keep}, since forward names none of its arguments"
    if not candidates:
        return f"add the column {arguments[0]} to the data"
    rename = f'{name} = {name}.rename_column("{candidates[0]}", "{arguments[0]}")'
    if len(candidates) == 1:
        return rename
    return f"{rename}, or whichever of {', '.join(candidates)} holds the inputs; or set {keep}"

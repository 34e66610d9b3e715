from collections.abc import Iterator
from dataclasses import replace

from pipedoctor import Finding, Location, Severity, Split, Stage, Train, check
from pipedoctor.facts import Columns, Transform
from pipedoctor_checks.data._texts import transform_of_dropped_columns


@check(
    "DAT003",
    Severity.ERROR,
    stage=Stage.DATA,
    explains=("RUN001", "DAT001", "DAT002", "DAT005"),
    in_text=transform_of_dropped_columns,
)
def transform_loses_columns(
    transform: Transform, train: Train[Transform] | None, columns: Columns | None
) -> Iterator[Finding]:
    """
    Trainer drops columns that the data's transform needs, before the transform gets to see them.

    A transform set by `with_transform` or `set_transform` makes the model's inputs when a row is
    asked for. Trainer knows only the columns that are stored: with `remove_unused_columns`, its
    default, it drops those that the model's forward does not name, so the text or the image is
    gone when the transform looks for it. The first batch fails with a `KeyError`. The transform
    is tried here on the first row, as Trainer would and with all columns.

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

        def tokenise(rows):
            ids = [[2, len(text), 3] for text in rows["text"]]
            return {"input_ids": ids, "label": rows["label"]}

        train_data = Dataset.from_dict({"text": ["good", "bad"] * 8, "label": [1, 0] * 8})
        train_data = train_data.with_transform(tokenise)

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

        def tokenise(rows):
            ids = [[2, len(text), 3] for text in rows["text"]]
            return {"input_ids": ids, "label": rows["label"]}

        train_data = Dataset.from_dict({"text": ["good", "bad"] * 8, "label": [1, 0] * 8})
        train_data = train_data.with_transform(tokenise)
        settings = {"remove_unused_columns": False}

    See also: <https://github.com/huggingface/transformers/issues/22119>.
    """
    if transform.error is None or transform.whole is not None:
        return  # it works on what is left, or raises on all columns too: then that is the fault
    split = Split.TRAIN if transform is train else Split.EVAL
    dropped = [name for name in transform.columns if name not in transform.given]
    where, name = (Location() if columns is None else columns.where), f"{split.value}_data"
    beforehand = f"{name} = {name}.map({transform.name}, batched=True)"
    yield Finding(
        message=f"Trainer drops {', '.join(dropped)} before {transform.name} sees the rows; with "
        f"{', '.join(transform.given) or 'no column'} alone it raised {transform.error}, with all "
        "columns it works",
        where=replace(where, split=split.value, column=dropped[0] if len(dropped) == 1 else None),
        evidence={
            "transform": transform.name,
            "columns": list(transform.columns),
            "left": list(transform.given),
            "dropped": dropped,
            "error": transform.error,
        },
        remedy="set remove_unused_columns=False",
        alternatives=(f"make the inputs beforehand, on the data as it was: {beforehand}",),
    )

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Batch, Columns


@check(
    "DAT029",
    Severity.ERROR,
    stage=Stage.COLLATOR,
    symptoms={
        r"Trainer drops the column .* before the collator": "set remove_unused_columns=False: "
        "the collator gets the rows as they are then"
    },
    explains=("DAT001", "DAT002", "DAT005"),
)
def collator_needs_a_dropped_column(_columns: Columns, _batch: Batch) -> Iterator[Finding]:
    """
    The collator asks for a column that Trainer drops before it gets the rows.

    With `remove_unused_columns`, its default, Trainer keeps those columns only that the model's
    forward names. A collator that makes the inputs itself, from a text or an image, finds them
    gone, and the first batch fails with a `KeyError` that names a column which the data has.

    Fails:

        import torch
        from transformers import BertConfig, BertForSequenceClassification

        def collator(rows):
            ids = torch.tensor([[2, len(row["text"]), 3] for row in rows])
            return {"input_ids": ids, "labels": torch.tensor([row["label"] for row in rows])}

        model = BertForSequenceClassification(
            BertConfig(
                vocab_size=100,
                hidden_size=16,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=16,
            )
        )
        train_data = [{"text": "good", "label": 1}, {"text": "bad", "label": 0}] * 8

    Passes:

        import torch
        from transformers import BertConfig, BertForSequenceClassification

        def collator(rows):
            ids = torch.tensor([[2, len(row["text"]), 3] for row in rows])
            return {"input_ids": ids, "labels": torch.tensor([row["label"] for row in rows])}

        model = BertForSequenceClassification(
            BertConfig(
                vocab_size=100,
                hidden_size=16,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=16,
            )
        )
        train_data = [{"text": "good", "label": 1}, {"text": "bad", "label": 0}] * 8
        settings = {"remove_unused_columns": False}

    See also: <https://github.com/huggingface/peft/issues/1299>.
    """
    yield from ()  # what the collator raises is told as a finding of this check by the engine

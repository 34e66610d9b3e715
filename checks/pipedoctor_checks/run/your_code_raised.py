from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Batch, Forward


@check("RUN001", Severity.ERROR, stage=Stage.ANY)
def your_code_raised(_batch: Batch, _forward: Forward | None) -> Iterator[Finding]:
    """
    Your own code raised an error while a batch was made, or while the model ran on it.

    The rows, the collator and the model are yours, and the training calls them as this
    examination does: what they raise here they would raise there, in the first step, or for the
    longest rows after an hour. The finding shows the error, and the line of your code it came
    from. An error whose cause is known to another check is reported by that one.

    Fails:

        import torch
        from transformers import BertConfig, BertForSequenceClassification

        def collator(rows):
            ids = torch.tensor([row["input_ids"] for row in rows])
            return {"input_ids": ids, "labels": torch.tensor([row["lable"] for row in rows])}

        model = BertForSequenceClassification(
            BertConfig(
                vocab_size=100,
                hidden_size=16,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=16,
            )
        )
        train_data = [{"input_ids": [2, 5, 3], "label": row % 2} for row in range(16)]

    Passes:

        import torch
        from transformers import BertConfig, BertForSequenceClassification

        def collator(rows):
            ids = torch.tensor([row["input_ids"] for row in rows])
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
        train_data = [{"input_ids": [2, 5, 3], "label": row % 2} for row in range(16)]
    """
    yield from ()  # what a probe's code raised is told as a finding of this check by the engine

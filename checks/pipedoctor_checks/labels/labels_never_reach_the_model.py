from collections.abc import Iterator
from dataclasses import replace

from pipedoctor import Finding, Location, Severity, Stage, Train, Unavailable, check
from pipedoctor.facts import Batch, Columns, Forward, Model

USUAL = ("label", "target", "targets", "class", "category", "score", "y", "gold", "answer")
"""What people call the column of labels, besides what it is about ("sentiment", "intent")."""

LANGUAGE = ("LMHead", "ForCausalLM", "ForMaskedLM")


@check(
    "LAB003",
    Severity.ERROR,
    stage=Stage.BATCH,
    symptoms={
        r"did not return a loss from the inputs, only the following keys: (?!last_hidden_state)": (
            'rename the column of labels: train_data = train_data.rename_column("label", "labels")'
        ),
        r"KeyError: 'loss'": (
            'rename the column of labels: train_data = train_data.rename_column("label", "labels")'
        ),
    },
)
def labels_never_reach_the_model(
    batch: Train[Batch],
    model: Model,
    columns: Train[Columns] | None,
    forward: Train[Forward] | None,
) -> Iterator[Finding]:
    """
    The batches have no labels, so the model computes no loss.

    The models of Transformers compute the loss of the argument `labels`. The collators that come
    with it make it of the columns `label`, `label_ids` and `labels`; a column of any other name
    is dropped before it gets there, and your own collator has to make it by itself. The first
    step then fails with "The model did not return a loss from the inputs".

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
            {"input_ids": [[2, 5, 3]] * 16, "sentiment": [0, 1] * 8}
        )

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
        train_data = Dataset.from_dict(
            {"input_ids": [[2, 5, 3]] * 16, "sentiment": [0, 1] * 8}
        ).rename_column("sentiment", "labels")

    See also: <https://github.com/huggingface/transformers/issues/25050>.
    """
    wanted = model.label_names
    if not wanted or any(name in batch.arrays for name in wanted):
        return
    if model.known("accepts") and "return_loss" in model.accepts:
        return  # a model with a loss of its own, such as CLIP's
    if forward is not None and (forward.known("loss") or "loss" in forward.outputs):
        return
    if batch.own_loss and forward is None:
        raise Unavailable("the trainer makes the loss by a method of its own, which was not run")
    dropped = () if columns is None or not columns.known("accepted") else columns.dropped
    lost = f"; Trainer drops {', '.join(dropped)}" if dropped else ""
    candidates = _candidates(batch, columns)
    if candidates == [wanted[0]] and wanted[0] not in dropped:
        lost = f"; the rows hold {wanted[0]}, and the collator leaves it out"
    where = Location() if columns is None else columns.where
    yield Finding(
        message=f"The batch holds {', '.join(sorted(batch.arrays))}, and no {wanted[0]}: "
        f"{model.name} computes no loss{lost}",
        where=replace(
            where, column=candidates[0] if len(candidates) == 1 else None, split="train"
        ),
        evidence={
            "batch": sorted(batch.arrays),
            "wanted": list(wanted),
            "dropped": list(dropped),
            "candidates": candidates,
        },
        remedy=_remedy(model, wanted[0], candidates),
    )


def _candidates(batch: Batch, columns: Columns | None) -> list[str]:
    """Return the columns that may hold the labels: by the usual names, else single numbers."""
    if "label" in batch.arrays:
        return ["label"]  # the collator passes it on under its own name
    if columns is None:
        return []
    lost = [name for name in columns.types if name not in batch.arrays]
    named = [name for name in USUAL if name in lost]
    if named:
        return named[:1]
    return [
        name
        for name in lost
        if columns.types[name].startswith(("int", "uint", "float", "double", "bool"))
    ]


def _remedy(model: Model, wanted: str, candidates: list[str]) -> str:
    if candidates == [wanted]:
        values = f'torch.tensor([row["{wanted}"] for row in rows])'
        return f'have the collator put them into the batch: batch["{wanted}"] = {values}'
    if len(candidates) == 1:
        return f'train_data = train_data.rename_column("{candidates[0]}", "{wanted}")'
    if candidates:
        return (
            f'train_data = train_data.rename_column("{candidates[0]}", "{wanted}"), or whichever '
            f"of {', '.join(candidates)} holds the labels"
        )
    if any(part in model.name for part in LANGUAGE):
        masked = "ForMaskedLM" in model.name
        return f"data_collator=DataCollatorForLanguageModeling(tokenizer, mlm={masked})"
    return f"add a column {wanted} to the data: for each row, what the model is to predict"

from collections.abc import Iterator
from dataclasses import replace

from pipedoctor import Finding, Location, Severity, Stage, Train, check
from pipedoctor.facts import Batch, Collator, Columns, Gradients, Model


@check("LLM020", Severity.ERROR, stage=Stage.COLLATOR, explains=("LAB003",))
def next_tokens_without_labels(
    batch: Train[Batch],
    model: Model,
    collator: Collator | None,
    columns: Train[Columns] | None,
    gradients: Gradients | None = None,
) -> Iterator[Finding]:
    """
    A causal language model is trained on tokens alone, and nothing makes labels of them.

    Its labels are the input ids themselves; the model shifts them by one. No column of the data
    holds them, so the collator has to copy them, and the default one does not: it only pads. The
    first step fails with "The model did not return a loss from the inputs".

    Fails:

        from datasets import Dataset
        from transformers import GPT2Config, GPT2LMHeadModel

        model = GPT2LMHeadModel(
            GPT2Config(
                vocab_size=50, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0
            )
        )
        train_data = Dataset.from_dict({"input_ids": [[2, 5, 3]] * 16})

    Passes:

        from datasets import Dataset
        from transformers import GPT2Config, GPT2LMHeadModel

        model = GPT2LMHeadModel(
            GPT2Config(
                vocab_size=50, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0
            )
        )
        train_data = Dataset.from_dict(
            {"input_ids": [[2, 5, 3]] * 16, "labels": [[2, 5, 3]] * 16}
        )

    See also: <https://huggingface.co/docs/transformers/tasks/language_modeling>.
    """
    if "input_ids" not in batch.arrays or not model.decoder_only or not model.label_names:
        return
    # A decoder may have a head for classes too; its labels are no copy of the inputs.
    if not any(part in model.name for part in ("CausalLM", "LMHead")):
        return
    if any(name in batch.arrays for name in model.label_names):
        return
    if gradients is not None:
        return  # a loss was computed all the same, as trainers on preferences do
    if batch.own_loss:
        return  # as DPOTrainer's, which compares two answers; what it makes of them is run
    name = "" if collator is None else f" {collator.name}"
    where = Location() if columns is None else columns.where
    yield Finding(
        message=f"The collator{name} makes {', '.join(sorted(batch.arrays))} and no labels; "
        f"{model.name} needs the input_ids as labels to predict the next token",
        where=replace(where, column=None, split="train"),
        evidence={"batch": sorted(batch.arrays), "model": model.name},
        remedy="pass data_collator=DataCollatorForLanguageModeling(tokenizer, mlm=False)",
    )

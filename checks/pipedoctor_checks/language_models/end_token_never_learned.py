from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, Train, check
from pipedoctor.facts import EndToken


@check("LLM003", Severity.ERROR, stage=Stage.COLLATOR)
def end_token_never_learned(end: Train[EndToken], *, least: int = 3) -> Iterator[Finding]:
    """
    The texts end with the end token, and its label is -100 in every row: the model never stops.

    Where the padding token is the end token (`tokenizer.pad_token = tokenizer.eos_token`),
    collators that make labels set all of them to -100, the real ends too. Training runs and the
    loss falls, but nothing ever taught the model to end a text, so that it generates on until the
    limit. Judged are the rows of the first batch and the longest ones; `least` says how many of
    them have to hold the token. A text that holds no end token is another matter.

    Fails:

        from datasets import Dataset
        from tokenizers import Tokenizer, models
        from transformers import (
            DataCollatorForLanguageModeling,
            GPT2Config,
            GPT2LMHeadModel,
            PreTrainedTokenizerFast,
        )

        words = Tokenizer(models.WordLevel({"<end>": 0, "a": 1, "b": 2}, unk_token="<end>"))
        tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<end>")
        tokenizer.pad_token = tokenizer.eos_token
        collator = DataCollatorForLanguageModeling(tokenizer, mlm=False)
        train_data = Dataset.from_dict({"input_ids": [[1, 2, 0], [2, 1, 1, 0], [1, 0]] * 4})
        model = GPT2LMHeadModel(
            GPT2Config(vocab_size=3, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0)
        )

    Passes:

        from datasets import Dataset
        from tokenizers import Tokenizer, models
        from transformers import (
            DataCollatorForLanguageModeling,
            GPT2Config,
            GPT2LMHeadModel,
            PreTrainedTokenizerFast,
        )

        words = {"<end>": 0, "a": 1, "b": 2, "<pad>": 3}
        tokenizer = PreTrainedTokenizerFast(
            tokenizer_object=Tokenizer(models.WordLevel(words, unk_token="<end>")),
            eos_token="<end>",
            pad_token="<pad>",
        )
        collator = DataCollatorForLanguageModeling(tokenizer, mlm=False)
        train_data = Dataset.from_dict({"input_ids": [[1, 2, 0], [2, 1, 1, 0], [1, 0]] * 4})
        model = GPT2LMHeadModel(
            GPT2Config(vocab_size=4, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0)
        )

    See also: <https://github.com/huggingface/trl/issues/1623>.
    """
    if end.learned or len(end.holding) < least:
        return
    cause = ", which is the padding token too," if end.pads else ""
    yield Finding(
        message=f"{len(end.holding)} of {end.rows} rows hold the end token {end.token}{cause} and "
        f"its label is -100 in all of them (0 learned): the model is never taught to stop",
        where=Location(split="train", rows=end.holding[:3]),
        evidence={
            "token": end.token,
            "id": end.id,
            "is_pad": end.pads,
            "rows": end.rows,
            "holding": len(end.holding),
            "learned": end.learned,
        },
        remedy='give padding a token of its own: tokenizer.add_special_tokens({"pad_token": '
        '"<|pad|>"}), then model.resize_token_embeddings(len(tokenizer))'
        if end.pads
        else f"have the collator {end.collator} keep the label {end.id} at the end of each text",
    )

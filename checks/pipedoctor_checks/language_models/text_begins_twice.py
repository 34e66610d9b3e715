from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, Train, check
from pipedoctor.facts import Supervision
from pipedoctor.units import count


@check("LLM005", Severity.WARNING, stage=Stage.COLLATOR)
def text_begins_twice(taught: Train[Supervision], *, least: int = 3) -> Iterator[Finding]:
    """
    The rows begin with two begin tokens: the chat template writes one, the tokenizer another.

    A model was never shown that when it was pretrained. What it is asked after the training
    begins with one, so it is trained on other texts than those that it will meet; the quality
    suffers, and nothing says so. Judged are models whose begin token is neither their padding nor
    their end, with `least` rows at least.

    Fails:

        from datasets import Dataset
        from tokenizers import Tokenizer, models
        from transformers import (
            GPT2Config,
            GPT2LMHeadModel,
            PreTrainedTokenizerFast,
            default_data_collator,
        )

        words = {"<s>": 0, "</s>": 1, "a": 2, "b": 3, "<pad>": 4}
        tokenizer = PreTrainedTokenizerFast(
            tokenizer_object=Tokenizer(models.WordLevel(words, unk_token="a")),
            bos_token="<s>",
            eos_token="</s>",
            pad_token="<pad>",
        )
        model = GPT2LMHeadModel(
            GPT2Config(vocab_size=5, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=1)
        )
        ids = [0, 0, 2, 3, 1]
        collator = default_data_collator
        train_data = Dataset.from_list([{"input_ids": ids, "labels": ids}] * 16)

    Passes:

        from datasets import Dataset
        from tokenizers import Tokenizer, models
        from transformers import (
            GPT2Config,
            GPT2LMHeadModel,
            PreTrainedTokenizerFast,
            default_data_collator,
        )

        words = {"<s>": 0, "</s>": 1, "a": 2, "b": 3, "<pad>": 4}
        tokenizer = PreTrainedTokenizerFast(
            tokenizer_object=Tokenizer(models.WordLevel(words, unk_token="a")),
            bos_token="<s>",
            eos_token="</s>",
            pad_token="<pad>",
        )
        model = GPT2LMHeadModel(
            GPT2Config(vocab_size=5, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=1)
        )
        ids = [0, 2, 3, 1]
        collator = default_data_collator
        train_data = Dataset.from_list([{"input_ids": ids, "labels": ids}] * 16)

    See also: <https://github.com/huggingface/alignment-handbook/issues/127>.
    """
    if taught.begin is None or taught.begin in {taught.pad, taught.end}:
        return
    twice = [row.row for row in taught.rows if row.first == (taught.begin, taught.begin)]
    if len(twice) < least or 2 * len(twice) < len(taught.rows):
        return
    name = taught.special.get(taught.begin, str(taught.begin))
    both = (
        taught.known("adds_begin")
        and taught.known("template_begins")
        and taught.adds_begin
        and taught.template_begins
    )
    cause = ": the chat template writes it, and the tokenizer adds it again" if both else ""
    yield Finding(
        message=f"{count(len(twice))} of {count(len(taught.rows))} rows that were looked at begin "
        f"with {name} twice (id {taught.begin}){cause}",
        where=Location(split="train", column="input_ids", rows=tuple(twice[:3])),
        evidence={"token": name, "rows": len(taught.rows), "twice": len(twice), "both_add": both},
        remedy="tokenizer(text, add_special_tokens=False) where the text is from "
        "apply_chat_template, or apply_chat_template(messages, tokenize=True) at once",
    )

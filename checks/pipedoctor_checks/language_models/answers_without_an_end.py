from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, Train, check
from pipedoctor.facts import Supervision
from pipedoctor.units import count


@check("LLM004", Severity.WARNING, stage=Stage.COLLATOR)
def answers_without_an_end(taught: Train[Supervision], *, least: int = 5) -> Iterator[Finding]:
    """
    The answers that are learned end with a word, and no token says that they are over.

    A model stops where it gives the end token. Where no answer of the training data ends with
    one, it never learns to, and generates on until the limit. It is judged where prompts are left
    out of the loss, so that there are answers: a text that is learned as a whole may well go on.
    No fault is seen where the answers end with any special or added token, or all with the same
    token, or where the rows are cut to one length. At least `least` rows have to be known.

    Fails:

        from datasets import Dataset
        from tokenizers import Tokenizer, models
        from transformers import (
            DataCollatorForSeq2Seq,
            GPT2Config,
            GPT2LMHeadModel,
            PreTrainedTokenizerFast,
        )

        words = {f"w{n}": n for n in range(1, 20)} | {"<end>": 0, "<pad>": 20}
        tokenizer = PreTrainedTokenizerFast(
            tokenizer_object=Tokenizer(models.WordLevel(words, unk_token="<end>")),
            eos_token="<end>",
            pad_token="<pad>",
        )
        model = GPT2LMHeadModel(
            GPT2Config(vocab_size=21, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0)
        )
        collator = DataCollatorForSeq2Seq(tokenizer)
        train_data = Dataset.from_list(
            [
                {
                    "input_ids": [1, 2, *range(3, 5 + n)],
                    "labels": [-100, -100, *range(3, 5 + n)],
                }
                for n in range(12)
            ]
        )

    Passes:

        from datasets import Dataset
        from tokenizers import Tokenizer, models
        from transformers import (
            DataCollatorForSeq2Seq,
            GPT2Config,
            GPT2LMHeadModel,
            PreTrainedTokenizerFast,
        )

        words = {f"w{n}": n for n in range(1, 20)} | {"<end>": 0, "<pad>": 20}
        tokenizer = PreTrainedTokenizerFast(
            tokenizer_object=Tokenizer(models.WordLevel(words, unk_token="<end>")),
            eos_token="<end>",
            pad_token="<pad>",
        )
        model = GPT2LMHeadModel(
            GPT2Config(vocab_size=21, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0)
        )
        collator = DataCollatorForSeq2Seq(tokenizer)
        train_data = Dataset.from_list(
            [
                {
                    "input_ids": [1, 2, *range(3, 5 + n), 0],
                    "labels": [-100, -100, *range(3, 5 + n), 0],
                }
                for n in range(12)
            ]
        )

    See also: <https://huggingface.co/docs/trl/dataset_formats>.
    """
    answered = [row for row in taught.rows if row.in_part]
    if taught.end is None or len(answered) < least or 2 * len(answered) < len(taught.rows):
        return
    ends = [row.last_learned for row in answered]
    stops = {taught.end, *taught.special}
    if any(end in stops for end in ends) or len(set(ends)) == 1:
        return
    if any(row.last in stops for row in answered):  # the end is there, and not learned: LLM003
        return
    longest = max(row.tokens for row in answered)
    cut = [row for row in answered if row.tokens == longest]
    if len(cut) > max(2, len(answered) // 4):
        return
    name = taught.special.get(taught.end, str(taught.end))
    yield Finding(
        message=f"In {count(len(answered))} of {count(len(answered))} answers that were looked at "
        f"the last token that is learned is no end: {name} (id {taught.end}) is in none of them, "
        f"and they end with {count(len(set(ends)))} different tokens",
        where=Location(split="train", column="labels", rows=tuple(r.row for r in answered[:3])),
        evidence={"rows": len(answered), "end": name, "different_ends": len(set(ends))},
        remedy="add the end token to each answer before it is tokenised: "
        'row["completion"] + tokenizer.eos_token',
    )

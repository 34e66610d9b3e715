from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Model, Recoded
from pipedoctor.units import count


@check("DAT009", Severity.ERROR, stage=Stage.DATA)
def tokens_of_another_tokenizer(
    recoded: Recoded, model: Model | None, *, least: int = 8, share: float = 0.9
) -> Iterator[Finding]:
    """
    The token ids of the data were made by another tokenizer than the one of this run.

    `map` keeps what it made in a cache, and takes it again where it sees no change: with a file
    named by hand (`cache_file_name`), a folder of prepared data, or a tokenizer that hashes alike.
    The ids then stand for other words. Training runs, and the loss falls, slowly.

    Some rows are tokenised anew. A row is of another tokenizer if its ids don't read like the text
    that stands beside them, and are not what this tokenizer makes of the text that they read as
    either. It is told if at least `share` of at least `least` rows are.

    Fails:

        from datasets import Dataset
        from tokenizers import Tokenizer, models, pre_tokenizers, trainers
        from transformers import PreTrainedTokenizerFast

        def tokenizer_of(texts):
            inner = Tokenizer(models.BPE())
            inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
            trainer = trainers.BpeTrainer(
                vocab_size=120, special_tokens=["<pad>"], show_progress=False
            )
            inner.train_from_iterator(texts, trainer)
            return PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="<pad>")

        words = ["brown carts", "dim evenings", "foggy hills", "into the green", "many rivers"]
        texts = [" ".join(words[n:] + words[:n]) for n in range(5)] * 4
        former = tokenizer_of(texts)
        tokenizer = tokenizer_of(["quick zebras jump, pixies vex a lazy djinn, wax quartz"])
        train_data = Dataset.from_dict({"text": texts}).map(lambda row: former(row["text"]))

    Passes:

        from datasets import Dataset
        from tokenizers import Tokenizer, models, pre_tokenizers, trainers
        from transformers import PreTrainedTokenizerFast

        def tokenizer_of(texts):
            inner = Tokenizer(models.BPE())
            inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
            trainer = trainers.BpeTrainer(
                vocab_size=120, special_tokens=["<pad>"], show_progress=False
            )
            inner.train_from_iterator(texts, trainer)
            return PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="<pad>")

        words = ["brown carts", "dim evenings", "foggy hills", "into the green", "many rivers"]
        texts = [" ".join(words[n:] + words[:n]) for n in range(5)] * 4
        tokenizer = tokenizer_of(texts)
        train_data = Dataset.from_dict({"text": texts}).map(lambda row: tokenizer(row["text"]))

    See also: <https://huggingface.co/docs/datasets/about_cache>.
    """
    judged = recoded.same + recoded.cut + recoded.inside + len(recoded.foreign)
    wrong = len(recoded.foreign)
    if wrong < least or wrong < share * judged:
        return
    if model is not None and "EncoderDecoder" in model.name:
        return  # its two halves may have a tokenizer each, of which one is known
    yield Finding(
        message=f"{count(wrong)} of {count(judged)} rows that were tokenised anew hold the ids of "
        "another tokenizer: read by the one of this run, they are no such text",
        where=replace(recoded.where, rows=recoded.foreign[:3]),
        evidence={"rows": judged, "foreign": wrong, "columns": list(recoded.columns)},
        remedy="data.map(…, load_from_cache_file=False), or delete the prepared folder",
        shows=tuple(
            f"row {row}: {text!r} is stored as {read!r}"
            for row, (text, read) in recoded.shows.items()
        ),
    )

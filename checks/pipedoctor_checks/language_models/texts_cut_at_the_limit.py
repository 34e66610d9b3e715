from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pipedoctor import Finding, Location, Severity, Stage, Train, check
from pipedoctor.facts import Head, Lengths, Model, Recoded, Settings
from pipedoctor.units import count


@check("LLM008", Severity.WARNING, stage=Stage.DATA)
def texts_cut_at_the_limit(  # noqa: PLR0913 - each is a fact: the signature declares them
    head: Head,
    lengths: Train[Lengths],
    recoded: Train[Recoded],
    model: Model,
    settings: Settings | None,
    *,
    share: float = 0.05,
) -> Iterator[Finding]:
    """
    Many texts are longer than the limit, and a language model never sees how they end.

    TRL's `max_length` is 1024 unless it is stated, and what is longer is cut without a word. What
    is lost is the end: of the answer, and the token that ends it. Where a prompt alone fills the
    limit, nothing is left to learn, and TRL drops the row. That a row was cut is known by
    tokenising the text beside it anew: rows that are just as long as the limit are no fault. It is
    told where at least `share` of the rows were cut or dropped, of models that write on from a
    text.

    Fails:

        from datasets import Dataset
        from tokenizers import Tokenizer, models, pre_tokenizers
        from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

        words = {f"w{n}": n for n in range(1, 20)} | {"<end>": 0}
        inner = Tokenizer(models.WordLevel(words, unk_token="<end>"))
        inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="<end>")
        model = GPT2LMHeadModel(
            GPT2Config(vocab_size=20, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0)
        )
        texts = [" ".join(f"w{1 + (n + k) % 19}" for k in range(4 + n)) for n in range(16)]
        train_data = Dataset.from_dict({"text": texts}).map(
            lambda row: tokenizer(row["text"], truncation=True, max_length=12)
        )
        train_data = train_data.map(lambda row: {"labels": row["input_ids"]})

    Passes:

        from datasets import Dataset
        from tokenizers import Tokenizer, models, pre_tokenizers
        from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

        words = {f"w{n}": n for n in range(1, 20)} | {"<end>": 0}
        inner = Tokenizer(models.WordLevel(words, unk_token="<end>"))
        inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="<end>")
        model = GPT2LMHeadModel(
            GPT2Config(vocab_size=20, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0)
        )
        texts = [" ".join(f"w{1 + (n + k) % 19}" for k in range(4 + n)) for n in range(16)]
        train_data = Dataset.from_dict({"text": texts}).map(
            lambda row: tokenizer(row["text"], truncation=True, max_length=32)
        )
        train_data = train_data.map(lambda row: {"labels": row["input_ids"]})

    See also: <https://huggingface.co/docs/trl/sft_trainer>.
    """
    if not head.vocabulary or not model.decoder_only or lengths.packed:
        return  # where a text is only read, as in a summary, to cut it is a choice
    checked, cut = recoded.longest, len(recoded.longest_cut)
    of_longest = cut / checked if checked else 0.0
    rows_cut = round(of_longest * lengths.at_longest)
    all_rows = lengths.rows + lengths.left_out
    lost = rows_cut + lengths.left_out
    if lost < share * all_rows or lost < 2:
        return
    told = []
    if rows_cut:
        about = "" if checked >= lengths.at_longest else "about "
        gone = 1 - recoded.kept / recoded.whole
        told.append(
            f"{about}{count(rows_cut)} of {count(all_rows)} rows ({rows_cut / all_rows:.0%}) are cut "
            f"at {count(lengths.longest)} tokens, and lose {gone:.0%} of their tokens, the end first"
        )
    if lengths.left_out:
        told.append(
            f"{count(lengths.left_out)} of {count(all_rows)} rows were dropped, since no label was "
            f"left of them at {count(lengths.longest)} tokens"
        )
    message = "; ".join(told)
    yield Finding(
        message=message[0].upper() + message[1:],
        where=_where(settings, lengths, recoded),
        evidence={
            "rows": all_rows,
            "cut": rows_cut,
            "dropped": lengths.left_out,
            "limit": lengths.longest,
            "looked_at": checked,
            "kept": recoded.kept,
            "whole": recoded.whole,
        },
        remedy=_remedy(settings, lengths, recoded, model),
        severity=Severity.ERROR if lengths.left_out > all_rows / 2 else None,
    )


def _where(settings: Settings | None, lengths: Lengths, recoded: Recoded) -> Location:
    rows = recoded.longest_cut[:3]
    if settings is not None and settings.get("max_length") == lengths.longest:
        return replace(settings.where("max_length"), split="train", rows=rows)
    return replace(lengths.where, rows=rows)


def _remedy(settings: Settings | None, lengths: Lengths, recoded: Recoded, model: Model) -> str:
    """Return the length that nearly all of these rows would fit in, if the model has it."""
    name = "max_length"
    needs = tuple(sorted((*recoded.needs, *recoded.left_out_needs)))
    if not needs:
        return f"raise {name}, or leave out what makes the prompts so long"
    # Rows that were dropped are longer than those that were cut: either has to fit.
    wanted = max(
        each[min(len(each) - 1, int(0.98 * len(each)))]
        for each in (recoded.needs, recoded.left_out_needs)
        if each
    )
    wanted = 1 << max(3, (wanted - 1).bit_length())
    room = model.positions if model.known("positions") else None
    if room is not None and wanted > room:
        if room <= lengths.longest:
            return (
                f"split the texts: the model has {count(room)} positions, and the longest that was "
                f"looked at needs {count(needs[-1])}"
            )
        wanted = room
    entry = f"{name}={wanted}"
    if settings is not None and settings.get(name) == lengths.longest:
        entry = settings.entry(name, wanted)
    told = [
        f"{sum(need <= wanted for need in each)} of {len(each)} {kind} rows"
        for kind, each in (("cut", recoded.needs), ("dropped", recoded.left_out_needs))
        if each
    ]
    unseen = bool(lengths.left_out) and not recoded.left_out_needs
    more = "; those that were dropped may need more" if unseen else ""
    return f"{entry}, in which {' and '.join(told)} that were looked at fit{more}"

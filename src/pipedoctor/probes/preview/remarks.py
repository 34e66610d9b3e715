"""
What strikes in the batches that are looked at, in numbers that people would have to count.

These are no findings: each says what is there, and where it matters what that does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipedoctor.facts.labels import IGNORED
from pipedoctor.probes.preview.arrays import to_numpy
from pipedoctor.probes.preview.labels import PER_TOKEN, VOCABULARY, Reading, shift
from pipedoctor.units import plural

Remark = dict[str, Any]

SHORT = 16
"""Rows that are all shorter than this are equally long by chance, or by their nature."""

MANY_UNKNOWN = 0.1
"""Of texts in a language that the vocabulary knows, far fewer tokens are unknown."""


def remarks(
    groups: Sequence[Mapping[str, Any]], reading: Reading, tokenizer: Any
) -> Iterator[Remark]:
    """Yield what strikes in the arrays of the groups, all of their rows together."""
    sequences = [_Tokens(arrays, reading) for arrays in groups if _is_table(arrays)]
    if sequences:
        yield from _lengths(sequences)
        yield from _padding(sequences, tokenizer)
        yield from _unknown(sequences, tokenizer)
    if sequences and reading.form in {PER_TOKEN, VOCABULARY}:
        yield from _taught([one for one in sequences if one.labels is not None])
        yield from _label_places(sequences, reading, tokenizer)
    if reading.generates:
        yield from _end_token(groups, reading, tokenizer)
    yield from _same_inputs(groups[0], reading)
    yield from _not_finite(groups)


def _is_table(arrays: Mapping[str, Any]) -> bool:
    return getattr(arrays.get("input_ids"), "ndim", 0) == 2


class _Tokens:
    """The tokens of a batch: ids, which of them are attended, and the labels if they have some."""

    def __init__(self, arrays: Mapping[str, Any], reading: Reading) -> None:
        self.ids = to_numpy(arrays["input_ids"])
        mask = to_numpy(arrays.get("attention_mask"))
        self.masked = mask is not None and mask.shape == self.ids.shape
        self.attended: Any = mask != 0 if self.masked else self.ids == self.ids
        labels = to_numpy(arrays.get(reading.name)) if reading.name else None
        fits = labels is not None and labels.shape == self.ids.shape
        self.labels: Any = labels if fits else None


def _say(what: str, text: str, *, grave: bool = True, **numbers: Any) -> Remark:
    return {"what": what, "text": text, "strikes": grave, **numbers}


def _lengths(sequences: list[_Tokens]) -> Iterator[Remark]:
    lengths = [int(n) for one in sequences for n in one.attended.sum(1)]
    longest = max(lengths)
    at_most = lengths.count(longest)
    if longest >= SHORT and at_most >= 3 and 2 * at_most >= len(lengths):
        yield _say(
            "equal-lengths",
            f"{_of(at_most, len(lengths), 'row')} are exactly {longest:,} tokens long, and none is "
            "longer: texts are cut there, or packed to it",
            rows=at_most,
            of=len(lengths),
            length=longest,
        )


def _padding(sequences: list[_Tokens], tokenizer: Any) -> Iterator[Remark]:
    pad = getattr(tokenizer, "pad_token_id", None)
    if pad is None:
        return
    import numpy as np

    runs = hidden = 0
    for one in sequences:
        is_pad: Any = one.ids == pad
        attended = (_at_an_end(is_pad) & one.attended).sum(1) if one.masked else np.zeros(1)
        runs += int(attended[attended > 1].sum())  # a single one may well end the text
        hidden += int((~one.attended & ~is_pad).sum())
    if runs:
        yield _say(
            "padding-attended",
            f"{plural(runs, 'padding token')} ({_name(tokenizer, pad)}) are attended to: the "
            "attention mask is 1 there",
            tokens=runs,
        )
    if hidden:
        yield _say(
            "tokens-hidden",
            f"{plural(hidden, 'token')} that are no padding are hidden by the attention mask",
            tokens=hidden,
        )


def _at_an_end(is_pad: Any) -> Any:
    """Return where padding tokens begin or end a sequence."""
    import numpy as np

    right = np.logical_and.accumulate(is_pad[:, ::-1], axis=1)[:, ::-1]
    left = np.logical_and.accumulate(is_pad, axis=1)
    return right | left


def _unknown(sequences: list[_Tokens], tokenizer: Any) -> Iterator[Remark]:
    unknown = getattr(tokenizer, "unk_token_id", None)
    if unknown is None or unknown == getattr(tokenizer, "pad_token_id", None):
        return
    count = sum(int(((one.ids == unknown) & one.attended).sum()) for one in sequences)
    total = sum(int(one.attended.sum()) for one in sequences)
    if count > MANY_UNKNOWN * total:
        yield _say(
            "many-unknown-tokens",
            f"{_name(tokenizer, unknown)} stands for {_of(count, total, 'token')} that the "
            "vocabulary does not hold",
            tokens=count,
            of=total,
        )


def _taught(sequences: list[_Tokens]) -> Iterator[Remark]:
    rows = [int(n) for one in sequences for n in (one.labels != IGNORED).sum(1)]
    empty = rows.count(0)
    if empty:
        yield _say(
            "rows-without-labels",
            f"{_of(empty, len(rows), 'row')} teach nothing: all their labels are -100",
            rows=empty,
            of=len(rows),
        )


def _label_places(sequences: list[_Tokens], reading: Reading, tokenizer: Any) -> Iterator[Remark]:
    with_labels = [one for one in sequences if one.labels is not None]
    padded = sum(
        int(((one.labels != IGNORED) & ~one.attended).sum()) for one in with_labels if one.masked
    )
    if padded:
        yield _say(
            "padding-has-labels",
            f"{plural(padded, 'token')} that are hidden by the attention mask have a label: they "
            "count in the loss",
            tokens=padded,
        )
    if reading.form == VOCABULARY:
        moved = sum(shift(one.ids, one.labels) == 1 for one in with_labels)
        if moved and moved == len(with_labels):
            yield _say(
                "labels-moved",
                "the labels stand one place before their tokens: each is the token that follows. "
                "The models of transformers move them themselves, so they would be moved twice",
            )
        return
    special = set(getattr(tokenizer, "all_special_ids", ()))
    special -= {
        getattr(tokenizer, "unk_token_id", None),
        getattr(tokenizer, "mask_token_id", None),
    }
    for number in sorted(special):
        here = [(one.ids == number) & one.attended for one in with_labels]
        total = sum(int(found.sum()) for found in here)
        labelled = sum(
            int((found & (one.labels != IGNORED)).sum())
            for found, one in zip(here, with_labels, strict=True)
        )
        if labelled:
            yield _say(
                "special-tokens-have-labels",
                f"{_name(tokenizer, number)}, which is no word, has a label other than -100 in "
                f"{labelled:,} of {total:,} places: do the labels stand beside their tokens?",
                tokens=labelled,
                of=total,
            )


def _end_token(
    groups: Sequence[Mapping[str, Any]], reading: Reading, tokenizer: Any
) -> Iterator[Remark]:
    end = getattr(tokenizer, "eos_token_id", None)
    if end is None or reading.name is None:
        return
    learned = occurs = rows = 0
    lasts: set[int] = set()
    for arrays in groups:
        labels = to_numpy(arrays.get(reading.name))
        if labels is None or labels.ndim != 2:
            return
        learned += int((labels == end).any(1).sum())
        rows += len(labels)
        lasts |= {int(row[row != IGNORED][-1]) for row in labels if (row != IGNORED).any()}
        if reading.form == VOCABULARY:
            one = _Tokens(arrays, reading)
            occurs += int(((one.ids == end) & one.attended).any(1).sum())
    text = (
        f"the end token {_name(tokenizer, end)} is among the labels of {_of(learned, rows, 'row')}"
    )
    if occurs and not learned:
        text += f", though it stands in {occurs}: no row teaches where to stop"
        if end == getattr(tokenizer, "pad_token_id", None):
            text += ". It is the padding token too, whose labels are made -100"
    elif not learned and len(lasts) == 1 and (other := lasts.pop()) in _added(tokenizer):
        text += f": what is learned ends with {_name(tokenizer, other)} in each"
    yield _say("end-token", text, grave=bool(occurs) and not learned, rows=learned, of=rows)


def _added(tokenizer: Any) -> set[int]:
    """Return the tokens that are no piece of a word: special ones, and those that were added."""
    added: dict[str, int] = getattr(tokenizer, "get_added_vocab", dict)()
    return {*getattr(tokenizer, "all_special_ids", ()), *added.values()}


def _same_inputs(arrays: Mapping[str, Any], reading: Reading) -> Iterator[Remark]:
    for name in arrays:
        array = to_numpy(arrays[name])
        if array is None or array.ndim < 2 or len(array) < 2 or name == reading.name:
            continue
        content = name == "input_ids" or array.dtype.kind == "f"
        if content and array[0].size and bool((array == array[:1]).all()):
            yield _say(
                "same-inputs",
                f"{name} is the same in all of the first {len(array)} rows",
                array=name,
                rows=len(array),
            )


def _not_finite(groups: Sequence[Mapping[str, Any]]) -> Iterator[Remark]:
    import numpy as np

    for name in groups[0]:
        found = [to_numpy(arrays.get(name)) for arrays in groups]
        bad = sum(
            int((~np.isfinite(array)).sum())
            for array in found
            if array is not None and array.dtype.kind == "f"
        )
        if bad:
            yield _say(
                "not-finite", f"{plural(bad, 'number')} in {name} are NaN or infinite", count=bad
            )


def _name(tokenizer: Any, number: int) -> str:
    return str(tokenizer.convert_ids_to_tokens(int(number)))


def _of(count: int, total: int, noun: str) -> str:
    """Return "3 of 8 rows", "all 8 rows", "none of 8 rows"."""
    if count == total and total > 1:
        return f"all {total:,} {noun}s"
    return f"{count:,} of {total:,} {noun}{'' if total == 1 else 's'}"

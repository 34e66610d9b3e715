"""
Stored token ids, compared with what this run's tokenizer makes of the texts beside them.

How the ids were made is not known: of one column or two, with or without special tokens, from a
template. The ways that are usual are tried on a few rows, and the one that fits is taken. Where
none does, a row is only foreign if its tokens neither read like any of its texts nor are what the
tokenizer makes of the text that they read as.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import permutations
from typing import Any

from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts.recoded import Recoded
from pipedoctor.finding import Location
from pipedoctor.frameworks.data import arrow
from pipedoctor.frameworks.data.encoding import asking
from pipedoctor.frameworks.data.lengths import left_out
from pipedoctor.frameworks.data.source import Source, source
from pipedoctor.frameworks.data.supervision import tokenizer_of
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe

Row = Mapping[str, Any]
Way = Callable[[Row], list[int]]

SAMPLE = 64
"""So many rows are drawn, and so many of the longest: a share of 5 % is met with 96 %."""

TRIED = 8
"""The rows that the ways are tried on."""

MOST_COLUMNS = 4
"""Of more columns of text only these are combined."""

ENDING = 3
"""So many tokens at most are put behind a text that was cut."""

PIECE = 5
"""Texts are compared by their pieces of so many letters."""

LEAST = 20
"""Shorter texts are not compared."""

ALIKE = 0.2
"""Texts that share fewer of their pieces than this have nothing to do with each other."""

LETTERS = 1.5
"""A text has at least so many characters for each of its tokens."""

LONGEST_TEXT = 20_000
"""Longer texts are not tokenised anew."""


@probe(Recoded, Cost.DATA, "{data}", user_code=True)
def recoded(pipeline: Pipeline, split: Split) -> Recoded:
    """Tokenise some rows anew, and compare."""
    found = source(pipeline, split)
    tokenizer = tokenizer_of(pipeline)
    if tokenizer is None or not callable(tokenizer):
        raise Unavailable("there is no tokenizer that the rows could be compared with")
    if found.prepared is not None or found.transform is not None:
        raise Unavailable("the rows are tokenised when they are asked for")
    texts, talks = _columns(found)
    drawn, longest = _rows(found)
    wanted = [*texts, *talks, "input_ids"]
    wanted += [name for name in ("attention_mask",) if name in found.raw.column_names]
    rows = _read(found, sorted({*drawn, *longest}), wanted)
    with asking(tokenizer):
        way = _fitting(list(_ways(tokenizer, texts, talks)), [rows[n] for n in drawn[:TRIED]])
        without = [_verdict(way, held) for held in _left_out(found, wanted)]
        verdicts = {row: _verdict(way, held) for row, held in rows.items()}
        foreign, inside, shows = [], 0, {}
        for row in drawn:
            if verdicts[row][0]:
                continue
            kind, *told = _compared(tokenizer, rows[row], texts, talks)
            inside += kind == "inside"
            if kind == "foreign":
                foreign.append(row)
                shows[row] = (told[0], told[1])
    cut = [row for row in longest if verdicts[row][0] == "cut"]
    return Recoded(
        columns=(*texts, *talks),
        rows=len(drawn),
        same=sum(verdicts[row][0] == "same" for row in drawn),
        cut=sum(verdicts[row][0] == "cut" for row in drawn),
        inside=inside,
        foreign=tuple(foreign),
        longest=sum(verdicts[row][0] != "" for row in longest),
        longest_cut=tuple(cut),
        kept=sum(verdicts[row][1] for row in cut),
        whole=sum(verdicts[row][2] for row in cut),
        needs=tuple(sorted(verdicts[row][2] for row in cut)),
        left_out_needs=tuple(sorted(whole for kind, _, whole in without if kind == "cut")),
        shows={row: shows[row] for row in foreign[:3]},
        where=Location(file=found.file, column="input_ids", split=split.value),
    )


def _columns(found: Source) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the columns of text, and those of conversations, beside a column of token ids."""
    types = found.types()
    if types.get("input_ids") not in {"list<int64>", "list<int32>"}:
        raise Unavailable("the data has no column of token ids")
    texts = tuple(name for name, kind in types.items() if kind == "string")[:MOST_COLUMNS]
    talks = tuple(
        name
        for name, kind in types.items()
        if kind.startswith("list<struct<") and "role: string" in kind and "content: string" in kind
    )
    if not texts and not talks:
        raise Unavailable("the data has no text beside its token ids")
    return texts, talks


def _rows(found: Source) -> tuple[list[int], list[int]]:
    """Return rows drawn at random, and some of those that are as long as the longest."""
    import numpy as np

    count = len(found)
    if not count:
        raise Unavailable("the data has no rows")
    random = np.random.default_rng(0)  # not the user's generator, and the same rows every time
    drawn = random.choice(count, min(count, SAMPLE), replace=False)
    lengths = arrow.lengths(found.raw, ("input_ids",))
    longest = np.flatnonzero(lengths == lengths.max())
    some = random.choice(longest, min(len(longest), SAMPLE), replace=False)
    return drawn.tolist(), sorted(some.tolist())


def _read(found: Source, rows: Sequence[int], names: Sequence[str]) -> dict[int, Row]:
    """Return rows by number, in plain Python, their token ids without padding."""
    chosen = found.raw.with_format(None).select_columns(list(names))
    held = chosen.select(list(rows), keep_in_memory=True, new_fingerprint="looked-at")[:]
    told: dict[int, Row] = {}
    for place, row in enumerate(rows):
        one = {name: values[place] for name, values in held.items()}
        mask = one.pop("attention_mask", None)
        if mask is not None and len(mask) == len(one["input_ids"]):
            kept = zip(one["input_ids"], mask, strict=True)
            one["input_ids"] = [number for number, attended in kept if attended]
        told[row] = one
    return told


def _left_out(found: Source, names: Sequence[str]) -> list[Row]:
    """Return some of the rows that a filter has taken out: they are in the table still."""
    import numpy as np
    from datasets import Dataset

    places = left_out(found)
    if not len(places):
        return []
    some = np.random.default_rng(0).choice(places, min(len(places), SAMPLE), replace=False)
    table = Dataset(found.raw.data, info=found.raw.info, fingerprint="looked-at")
    return list(_read(replace(found, raw=table), sorted(some.tolist()), names).values())


def _ways(tokenizer: Any, texts: Sequence[str], talks: Sequence[str]) -> Iterator[Way]:
    """Yield the usual ways to make token ids of a row."""
    pairs = list(permutations(texts, 2))
    for special in (True, False):
        for name in texts:
            yield partial(_alone, tokenizer, (name,), special)
        for pair in pairs:
            yield partial(_beside, tokenizer, pair, special)
            yield partial(_alone, tokenizer, pair, special)
    if talks and getattr(tokenizer, "chat_template", None):
        for names in [*((name,) for name in talks), *permutations(talks, 2)]:
            yield partial(_talk, tokenizer, names)


def _alone(tokenizer: Any, names: Sequence[str], special: bool, row: Row) -> list[int]:
    """Tokenise one text, or several put together."""
    return _ids(tokenizer("".join(row[name] for name in names), add_special_tokens=special))


def _beside(tokenizer: Any, names: Sequence[str], special: bool, row: Row) -> list[int]:
    """Tokenise two texts as a pair."""
    first, second = names
    return _ids(tokenizer(row[first], row[second], add_special_tokens=special))


def _talk(tokenizer: Any, names: Sequence[str], row: Row) -> list[int]:
    """Tokenise a conversation by the chat template."""
    messages = [message for name in names for message in row[name]]
    return _ids(tokenizer.apply_chat_template(messages, tokenize=True, return_dict=True))


def _ids(encoded: Any) -> list[int]:
    return list(encoded["input_ids"])


def _fitting(ways: list[Way], rows: Sequence[Row]) -> Way | None:
    """Return the way that makes the ids of most of these rows, or all but their end."""
    scored = [(sum(bool(_verdict(way, row)[0]) for row in rows), way) for way in ways]
    best = max(scored, key=lambda one: one[0], default=(0, None))
    return best[1] if best[0] > len(rows) / 2 else None


def _verdict(way: Way | None, row: Row) -> tuple[str, int, int]:
    """Return whether a row's ids are the same as those made anew, or cut; and both lengths."""
    stored = list(row["input_ids"])
    if way is None or any(_characters(value) > LONGEST_TEXT for value in row.values()):
        return "", 0, 0
    try:
        made = way(row)
    except Exception:  # noqa: BLE001 - a template of the user's, or a row that lacks a text
        return "", 0, 0
    if made == stored:
        return "same", len(stored), len(made)
    if len(made) <= len(stored) or not stored:
        return "", 0, 0
    for ending in range(min(ENDING, len(stored) - 1) + 1):
        head = stored[: len(stored) - ending]
        if made[: len(head)] == head and made[len(made) - ending :] == stored[len(head) :]:
            return "cut", len(stored), len(made)
    if made[-len(stored) :] == stored:
        return "cut", len(stored), len(made)
    return "", 0, 0


def _characters(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return sum(len(str(message.get("content", ""))) for message in value)
    return 0


def _compared(
    tokenizer: Any, row: Row, texts: Sequence[str], talks: Sequence[str]
) -> tuple[str, ...]:
    """
    Return whether a row's tokens read like its texts ("inside"), or are "foreign".

    With a foreign one comes its text, and how its tokens read. Where the texts are too short to
    have made the tokens, nothing is said.
    """
    ids = list(row["input_ids"])
    try:
        read = str(tokenizer.decode(ids, skip_special_tokens=True))
        again = _ids(tokenizer(read, add_special_tokens=False))
    except Exception:  # noqa: BLE001 - an id that the tokenizer does not have
        return ("",)
    held = [str(row[name] or "") for name in texts]
    held += [" ".join(str(one.get("content", "")) for one in row[name] or ()) for name in talks]
    whole = " ".join(held)
    if len(_letters(read)) < LEAST or len(_letters(whole)) < LEAST:
        return ("",)
    pieces, there = _pieces(read), _pieces(whole)
    shared = len(pieces & there)
    if shared >= ALIKE * len(pieces) or shared >= ALIKE * len(there):
        return ("inside",)
    special = set(getattr(tokenizer, "all_special_ids", ()))
    own = again == [number for number in ids if number not in special]
    if own or len(whole) < LETTERS * len(ids):
        return ("",)  # of another text, which is not stored
    return "foreign", whole[:80], read[:80]


def _letters(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in plain if letter.isalnum())


def _pieces(text: str) -> set[str]:
    letters = _letters(text)
    return {letters[n : n + PIECE] for n in range(len(letters) - PIECE + 1)}

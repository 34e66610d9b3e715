"""
Token ids as people read them: pieces of text, special tokens by name, runs of padding counted.

A sequence becomes a list of entries. Each is one token, or a run of equal special tokens
(`times`), or stands for tokens that are left out of a long sequence (`omitted`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipedoctor.facts.labels import IGNORED

HEAD, TAIL = 240, 40
"""So many entries at the beginning and the end of a sequence are kept."""

LONGEST_CHARACTER = 8
"""So many tokens at most make one character, where a tokenizer works on bytes."""

Entry = dict[str, Any]


def entries(
    ids: Sequence[int],
    mask: Sequence[int] | None,
    labels: Sequence[int] | None,
    tokenizer: Any,
) -> list[Entry]:
    """Return the entries of a sequence; without a tokenizer the ids stand for themselves."""
    special = frozenset(getattr(tokenizer, "all_special_ids", ()))
    pad = getattr(tokenizer, "pad_token_id", None)
    found: list[Entry] = []
    for place, number in enumerate(ids):
        entry: Entry = {"id": int(number)}
        if number in special:
            entry["special"] = True
        if number == pad and (mask is None or not mask[place]):
            entry["padding"] = True
        if mask is not None and not mask[place]:
            entry["masked"] = True
        if labels is not None:
            entry["label"] = int(labels[place])
        last = found[-1] if found else None
        if last is not None and ("special" in entry or "padding" in entry) and _same(last, entry):
            last["times"] = last.get("times", 1) + 1
        else:
            found.append(entry)
    found = _cut(found)
    _name(found, tokenizer)
    return found


def tokens_in(entry: Entry) -> int:
    """Return how many tokens an entry stands for."""
    return int(entry.get("omitted") or entry.get("times", 1))


def _same(one: Entry, other: Entry) -> bool:
    return {key: value for key, value in one.items() if key != "times"} == other


def _cut(found: list[Entry]) -> list[Entry]:
    if len(found) <= HEAD + TAIL + 1:
        return found
    between = found[HEAD:-TAIL]
    left_out: Entry = {"omitted": sum(entry.get("times", 1) for entry in between)}
    taught = sum(e.get("times", 1) for e in between if e.get("label", IGNORED) != IGNORED)
    if "label" in between[0]:
        left_out["learned"] = taught
    return [*found[:HEAD], left_out, *found[-TAIL:]]


def _name(found: list[Entry], tokenizer: Any) -> None:
    """Give each entry its text: special tokens by name, the others as they read in context."""
    stretch: list[Entry] = []
    for entry in [*found, {"omitted": 0}]:
        if "omitted" not in entry and "special" not in entry and _known(entry["id"], tokenizer):
            stretch.append(entry)
            continue
        for inner, text in zip(
            stretch, pieces(tokenizer, [e["id"] for e in stretch]), strict=True
        ):
            inner["text"] = text
        stretch = []
        if "omitted" not in entry:
            entry["text"] = name(entry["id"], tokenizer)


def name(number: int, tokenizer: Any) -> str:
    """Return a token by its name in the vocabulary; one that is in none by its number, apart."""
    if not _known(number, tokenizer):
        return f" <{number}>" if tokenizer is not None else f" {number}"
    return str(tokenizer.convert_ids_to_tokens(int(number)))


def reads(number: int, tokenizer: Any) -> str:
    """Return a token as it reads by itself."""
    special = frozenset(getattr(tokenizer, "all_special_ids", ()))
    if number in special or not _known(number, tokenizer):
        return name(number, tokenizer)
    return _decoded(tokenizer, [number])


def _known(number: int, tokenizer: Any) -> bool:
    if tokenizer is None or number < 0:
        return False
    return number < len(tokenizer) and tokenizer.convert_ids_to_tokens(int(number)) is not None


def pieces(tokenizer: Any, ids: Sequence[int]) -> list[str]:
    """
    Return a piece of text for each token, so that all of them together read as the text.

    Each is what decoding gains by the token, seen with the one before it: that tells whether a
    blank stands between. Of a character that is made of several tokens the last one has it.
    """
    found: list[str] = []
    start = read = 0
    for place in range(len(ids)):
        before = _decoded(tokenizer, ids[start:read])
        text = _decoded(tokenizer, ids[start : place + 1])
        if text.endswith("\ufffd") and place - read < LONGEST_CHARACTER:
            found.append("")
            continue
        alone = text[len(before) :] if text.startswith(before) else None
        found.append(_decoded(tokenizer, ids[read : place + 1]) if alone is None else alone)
        start, read = read, place + 1
    for place in range(read, len(ids)):  # a character that is never finished
        found[place] = _decoded(tokenizer, [ids[place]])
    return found


def _decoded(tokenizer: Any, ids: Sequence[int]) -> str:
    if not ids:
        return ""
    return str(
        tokenizer.decode(list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False)
    )

"""The tokens of a row as lines: as running text, or one by one with their labels underneath."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipedoctor.facts.labels import IGNORED
from pipedoctor.reporters.batch_text import cut, harmless, padded, width_of
from pipedoctor.reporters.layout import Line

Entry = Mapping[str, Any]
Cell = tuple[str, str]
Under = Callable[[Entry, int], Cell]

SPECIAL, PADDING, HIDDEN, UNLEARNED = "cyan", "dim", "dim strike", "dim"

FEW_SEGMENTS = 6
"""Where learned and ignored tokens alternate more often than this, they are marked in the text."""

WIDEST_CELL = 24

BAR = " │ "


@dataclass(frozen=True)
class Unit:
    """A token, or a run of equal ones, as it is printed."""

    text: str
    style: str = ""
    count: int = 1
    apart: bool = False
    """Whether it stands apart from its neighbours, as special tokens do."""


def units(entries: Iterable[Entry]) -> Iterator[Unit]:
    """Yield the entries of a row as they read in running text."""
    for entry in entries:
        yield unit(entry)


def unit(entry: Entry) -> Unit:
    """Return an entry as it reads: special tokens by name, runs of them counted."""
    if "omitted" in entry:
        learned = entry.get("learned")
        text = _more(entry["omitted"], f", {learned:,} of them learned" if learned else "")
        return Unit(text, "dim", entry["omitted"], apart=True)
    times = entry.get("times", 1)
    text = harmless(entry["text"])
    if "special" in entry or "padding" in entry:
        text += f" x {times:,}" if times > 1 else ""
        attended = times > 1 and "masked" not in entry
        style = PADDING if "padding" in entry else SPECIAL
        return Unit(text + (" (attended)" if attended else ""), style, times, apart=True)
    if "masked" in entry:
        return Unit(f"({text.strip()})", HIDDEN, times, apart=True)
    return Unit(text, "", times)


def flow(told: Iterable[Unit], width: int, most: int) -> Iterator[Line]:
    """Yield running text within a width; of more lines than `most`, the middle is left out."""
    words = list(_words(told, width))
    rows = _rows(words, width)
    if len(rows) <= most:
        yield from (_line(row) for row in rows)
        return
    head = rows[: max(1, most - 1)]
    rest = words[sum(len(row) for row in head) :]
    room = width - width_of(_more(sum(u.count for word in rest for u in word))) - 1
    tail: list[list[Unit]] = []
    while rest and _width(rest[-1]) + 1 <= room and not _is_gap(rest[-1]):
        tail.insert(0, rest.pop())
        room -= _width(tail[0]) + 1
    yield from (_line(row) for row in head)
    gap = Unit(_more(sum(u.count for word in rest for u in word)), "dim", apart=True)
    yield _line([[gap], *tail] if rest else tail)


def _is_gap(word: Sequence[Unit]) -> bool:
    return word[0].style == "dim" and word[0].text.startswith("… ")


def _more(count: int, what: str = "") -> str:
    return f"… {count:,} more token{'' if count == 1 else 's'}{what} …"


def _words(told: Iterable[Unit], width: int) -> Iterator[list[Unit]]:
    """Yield tokens that belong together: a word, or a special token; none wider than a line."""
    word: list[Unit] = []
    for one in told:
        begins = one.apart or one.text[:1].isspace()
        too_wide = _width(word) + width_of(one.text) > width
        if word and (begins or word[-1].apart or too_wide):
            yield word
            word = []
        fitting = replace(one, text=cut(one.text.strip() if begins else one.text, width))
        word.append(fitting)
    if word:
        yield word


def _width(word: Sequence[Unit]) -> int:
    return sum(width_of(one.text) for one in word)


def _rows(words: Iterable[list[Unit]], width: int) -> list[list[list[Unit]]]:
    rows: list[list[list[Unit]]] = []
    room = 0
    for word in words:
        needed = _width(word)
        if not rows or needed + 1 > room:
            rows.append([])
            room = width + 1
        rows[-1].append(word)
        room -= needed + 1
    return rows


def _line(row: Sequence[Sequence[Unit]]) -> Line:
    line: Line = []
    for place, word in enumerate(row):
        if place:
            line.append((" ", ""))
        line += [(one.text, one.style) for one in word]
    return line


def segments(entries: Sequence[Entry]) -> list[tuple[bool | None, list[Entry]]]:
    """Return the entries in stretches: learned or not, None for those that are left out."""
    found: list[tuple[bool | None, list[Entry]]] = []
    for entry in entries:
        learned = None if "omitted" in entry else entry.get("label", IGNORED) != IGNORED
        if found and found[-1][0] is learned:
            found[-1][1].append(entry)
        else:
            found.append((learned, [entry]))
    return found


def marked(entries: Iterable[Entry]) -> Iterator[Unit]:
    """Yield running text in which the learned tokens are «marked», with what is to be learned."""
    for entry in entries:
        plain = unit(entry)
        if entry.get("label", IGNORED) == IGNORED:
            yield replace(plain, style=plain.style or UNLEARNED)
        else:
            target = f"→{harmless(entry['target']).strip()}" if "target" in entry else ""
            yield Unit(f"«{plain.text.strip()}{target}»", "bold", plain.count, apart=True)


def columns(
    entries: Sequence[Entry],
    under: Mapping[str, Under],
    width: int,
    most: int,
) -> Iterator[Line]:
    """
    Yield the tokens side by side, and under each what belongs to it, in blocks of lines.

    Each function of `under` gets an entry and its place, and returns a text and its style; it
    stands under the name of its line.
    """
    heads = ("token", *under)
    gutter = max(map(len, heads))
    room = width - gutter - len(BAR)
    cells: list[list[Cell]] = []
    counts: list[int] = []
    place = 0
    for number, entry in enumerate(entries):
        one = unit(entry)
        text = _alone(one, number, entries)
        below = (
            [("", "")] * len(under)
            if "omitted" in entry
            else [find(entry, place) for find in under.values()]
        )
        cells.append([(text, one.style), *below])
        counts.append(one.count)
        place += one.count
    for line, level in _blocks(cells, counts, room, most):
        yield [(f"{heads[level]:>{gutter}}{BAR}", "dim"), *line] if line else []


def _alone(one: Unit, number: int, entries: Sequence[Entry]) -> str:
    """Return a token for a cell; that it goes on a word is marked as vocabularies do."""
    if one.apart:
        return one.text
    before = entries[number - 1] if number else None
    inside = before is not None and not unit(before).apart
    goes_on = inside and one.text[:1].isalnum()
    return ("##" if goes_on else "") + (one.text.strip() or "␣")


def _blocks(
    cells: Sequence[Sequence[Cell]], counts: Sequence[int], width: int, most: int
) -> Iterator[tuple[Line, int]]:
    """Yield the lines of the blocks, each with its level; an empty one stands between blocks."""
    start = blocks = 0
    while start < len(cells):
        if blocks == most:
            yield [(_more(sum(counts[start:])), "dim")], 0
            return
        if blocks:
            yield [], 0
        end, room = start, width
        widths: list[int] = []
        while end < len(cells):
            wide = min(WIDEST_CELL, max(width_of(text) for text, _ in cells[end]))
            if end > start and wide > room:
                break
            widths.append(wide)
            room -= wide + 2
            end += 1
        for level in range(len(cells[start])):
            line: Line = []
            for cell, wide in zip(cells[start:end], widths, strict=True):
                text, style = cell[level]
                line += [(padded(cut(text, wide), wide), style), ("  ", "")]
            yield line[:-1], level
        start, blocks = end, blocks + 1

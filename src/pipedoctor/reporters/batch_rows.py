"""The rows of a batch as lines: a table where a row has a label, tokens where those have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipedoctor.facts.labels import IGNORED
from pipedoctor.reporters.batch_labels import answer, label, named, value
from pipedoctor.reporters.batch_text import cut, harmless, padded, width_of
from pipedoctor.reporters.batch_tokens import (
    BAR,
    FEW_SEGMENTS,
    Cell,
    Entry,
    Under,
    Unit,
    columns,
    flow,
    marked,
    segments,
    units,
)
from pipedoctor.reporters.layout import Line, wrapped
from pipedoctor.units import count

Row = Mapping[str, Any]

NARROWEST_INPUT = 36
"""With less room beside the other columns, the input stands underneath them."""

WIDEST_COLUMN = 28

MOST_LINES = 3
"""So many lines of a row's input are shown."""


def table(_group: Row, rows: Sequence[Row], answers: Sequence[Row], width: int) -> Iterator[Line]:
    """Yield a line of figures for each row, and its input beside them or underneath."""
    given = [answers[n] if n < len(answers) else None for n in range(len(rows))]
    cells = {
        "row": [_number(row, n) for n, row in enumerate(rows)],
        "tokens": [_lengths(row) for row in rows],
        "label": [label(row.get("label")) for row in rows],
        "answer": [answer(one) for one in given],
        "loss": [_loss(one) for one in given],
    }
    filled = {name: found for name, found in cells.items() if any(found)}
    wide = {
        name: min(WIDEST_COLUMN, max(width_of(cell) for cell in (name, *found)))
        for name, found in filled.items()
    }
    left = 2 + sum(size + 2 for size in wide.values())
    beside = width - left >= NARROWEST_INPUT
    room = width - left if beside else width - 4
    heads = [padded(name, wide[name], right=_right(name)) + "  " for name in filled]
    yield [("  " + "".join(heads) + ("input" if beside else ""), "dim")]
    for place, row in enumerate(rows):
        line: Line = [("  ", "")]
        for name, found in filled.items():
            text = padded(cut(found[place], wide[name]), wide[name], right=_right(name))
            line.append((text + "  ", _style(name, row, given[place])))
        shown = list(_input(row, room))
        if beside:
            yield line + (shown[0] if shown else [])
            yield from ([(" " * left, ""), *more] for more in shown[1:])
        else:
            yield line
            yield from ([("    ", ""), *more] for more in shown)


def _right(name: str) -> bool:
    return name in {"row", "loss"}


def _style(name: str, row: Row, given: Row | None) -> str:
    if name == "row":
        return "dim"
    truth = (row.get("label") or {}).get("class")
    if name == "answer" and given is not None and truth is not None and "class" in given:
        return "green" if given["class"] == truth else "yellow"
    return "bold" if name == "label" else ""


def _number(row: Row, place: int) -> str:
    return f"#{place}" if row["row"] is None else str(row["row"])


def _lengths(row: Row) -> str:
    if "length" not in row:
        return ""
    padding = row["width"] - row["length"]
    return count(row["length"]) + (f" + {count(padding)}" if padding else "")


def _loss(given: Row | None) -> str:
    loss = None if given is None else given.get("loss")
    if loss is None:
        return ""
    return loss if isinstance(loss, str) else f"{loss:.3f}"


def _input(row: Row, room: int) -> Iterator[Line]:
    if "text" in row:
        yield from _prose("", harmless(row["text"]), room)
    elif "tokens" in row:
        yield from flow(units(row["tokens"]), room, MOST_LINES)
    for name, told in row.get("arrays", {}).items():
        yield from _prose(f"{harmless(name)} ", value(told), room)


def _prose(name: str, text: str, room: int) -> Iterator[Line]:
    """Yield text in at most so many lines; what is left is cut."""
    rest, first = text, True
    for place in range(MOST_LINES):
        width = room - (width_of(name) if first else 2)
        last = place == MOST_LINES - 1
        piece = cut(rest, width) if last else _fitting(rest, width)
        yield [(name, "dim"), (piece, "")] if first else [("  ", ""), (piece, "")]
        rest, first = rest[len(piece) :].lstrip(), False
        if not rest or last:
            return


def _fitting(text: str, width: int) -> str:
    """Return the beginning of a text that fits, up to the end of a word if there is one."""
    if width_of(text) <= width:
        return text
    piece = cut(text, width + 1)[:-1]
    end = piece.rfind(" ")
    return piece[:end] if end > width // 2 else piece


def of_tokens(
    group: Row, rows: Sequence[Row], answers: Sequence[Row], width: int
) -> Iterator[Line]:
    """Yield rows whose tokens have labels of their own."""
    vocabulary = group["labels"]["form"] == "vocabulary"
    names = group["labels"]["names"]
    for place, row in enumerate(rows):
        given = answers[place] if place < len(answers) else None
        yield from _title(row, place, given, width)
        entries = row["tokens"]
        if vocabulary and not _elsewhere(entries):
            yield from _learned(entries, width)
        else:
            under = {"label": _target if vocabulary else _class(names)}
            if given is not None and given["kind"] == "tokens":
                under["answer"] = _guess(given["classes"], names)
            for line in columns(entries, under, width - 4, MOST_LINES):
                yield [("    ", ""), *line] if line else []
            if place < len(rows) - 1:
                yield []


def of_sequences(
    _group: Row, rows: Sequence[Row], answers: Sequence[Row], width: int
) -> Iterator[Line]:
    """Yield rows with an input and a target that is a sequence of its own."""
    for place, row in enumerate(rows):
        yield from _title(row, place, answers[place] if place < len(answers) else None, width)
        learned = row["learned"]
        ignored = learned["of"] - learned["count"]
        target = list(units(row.get("target", ())))
        if ignored:
            target.append(Unit(f"-100 x {ignored:,}", "dim", ignored, apart=True))
        yield from _gutter("input", list(units(row["tokens"])), width)
        yield from _gutter("target", target, width)


def _title(row: Row, place: int, given: Row | None, width: int) -> Iterator[Line]:
    learned = row.get("learned", {})
    words = [f"{count(row['length'])} tokens"]
    padding = row["width"] - row["length"]
    if padding:
        words[0] += f" + {count(padding)} padding"
    if learned:
        taught = f"{count(learned['count'])} of {count(learned['of'])} labels are learned"
        if not learned["count"]:
            taught += ": all are -100"
        elif learned["count"] < learned["of"]:
            taught += f", at {learned['first']} to {learned['last']}"
        words.append(taught)
    loss = _loss(given)
    if loss:
        words.append(f"loss {loss}")
    head = f"  row {_number(row, place)}  "
    style = "bold yellow" if learned and not learned["count"] else ""
    for line in wrapped(" · ".join(words), style, 0, width - len(head)):
        yield [(head, "bold"), *line]
        head = " " * len(head)


def _elsewhere(entries: Sequence[Entry]) -> bool:
    """Whether most labels are other tokens than those they stand under, but for masked ones."""
    taught = [e for e in entries if e.get("label", IGNORED) != IGNORED]
    others = [e for e in taught if "target" in e and "special" not in e]
    return 2 * len(others) > len(taught)


def _learned(entries: Sequence[Entry], width: int) -> Iterator[Line]:
    """Yield running text with what is learned and what is not in lines of their own."""
    stretches = segments(entries)
    if len(stretches) > FEW_SEGMENTS or any("target" in entry for entry in entries):
        yield from _gutter("«learned»", list(marked(entries)), width)
        return
    names = {True: "learned", False: "-100", None: ""}
    for learned, stretch in stretches:
        style = {True: "green", False: "dim", None: ""}[learned]
        yield from _gutter(names[learned], list(units(stretch)), width, style)


def _gutter(name: str, told: Sequence[Unit], width: int, style: str = "") -> Iterator[Line]:
    """Yield units beside a name; `style` is that of pieces which have none of their own."""
    head = f"    {name:>9}{BAR}"
    heading = style if style == "dim" else f"bold {style}".rstrip()
    for place, line in enumerate(flow(told, width - len(head), MOST_LINES)):
        shown = _joined([(text, piece or style) for text, piece in line])
        yield [(head if not place else f"    {'':>9}{BAR}", heading), *shown]


def _joined(line: Line) -> Line:
    """Return a line with neighbours of one style in one piece."""
    told: Line = []
    for text, style in line:
        if told and told[-1][1] == style:
            told[-1] = (told[-1][0] + text, told[-1][1])
        else:
            told.append((text, style))
    return told


def _target(entry: Entry, _place: int) -> Cell:
    """Return what is to be learned under a token, where the labels are tokens too."""
    number = entry.get("label", IGNORED)
    if number == IGNORED:
        return str(IGNORED), "dim"
    return (harmless(entry["target"]).strip() or "␣", "bold") if "target" in entry else ("=", "")


def _class(names: Mapping[str, str]) -> Under:
    def under(entry: Entry, _place: int) -> Cell:
        number = entry.get("label", IGNORED)
        if number == IGNORED:
            return str(IGNORED), "dim"
        return harmless(names.get(str(number)) or str(number)), "bold"

    return under


def _guess(classes: Sequence[int], names: Mapping[str, str]) -> Under:
    def under(entry: Entry, place: int) -> Cell:
        number = entry.get("label", IGNORED)
        if number == IGNORED or place >= len(classes):
            return "", ""
        found = classes[place]
        return named(found, {}) if str(found) not in names else harmless(names[str(found)]), (
            "green" if found == number else "yellow"
        )

    return under

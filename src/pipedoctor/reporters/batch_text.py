"""Text of the user's data, made harmless and measured: how many columns of a terminal it takes."""

from __future__ import annotations

import unicodedata

from rich.cells import cell_len

_STEERING = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories of characters that are no text: controls, formats (bidirectional ones too), breaks."""

_COMBINING = frozenset({"Mn", "Me"})
MOST_MARKS = 4
"""More marks than this on one character belong to no script; they would climb over other lines."""

_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
LEFT_TO_RIGHT = "\u200e"
"""The mark that keeps what stands beside text of a right-to-left script in its place."""

_NAMES = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}


def harmless(text: str) -> str:
    """
    Return text without anything that steers a terminal or reorders a line; that is spelled out.

    Marks that combine with the character before them need one that is their own: at the
    beginning a dotted circle is put there.
    """
    if text.isascii() and text.isprintable():
        return text
    told: list[str] = []
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        if category in _STEERING or _selects_variant(character):
            told.append(_NAMES.get(character) or _escaped(character))
            marks = MOST_MARKS  # none combines with this
        elif category in _COMBINING:
            if not told:
                told.append("◌")
            marks += 1
            told.append(character if marks <= MOST_MARKS else _escaped(character))
        else:
            told.append(character)
            marks = 0
    return "".join(told)


def _selects_variant(character: str) -> bool:
    """Whether a character only chooses how the one before is drawn, and how wide."""
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


def _escaped(character: str) -> str:
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def in_place(text: str) -> str:
    """Return a piece of a line that keeps to its place even if its script runs to the left."""
    if text.isascii() or not any(unicodedata.bidirectional(c) in _RIGHT_TO_LEFT for c in text):
        return text
    return f"{LEFT_TO_RIGHT}{text}{LEFT_TO_RIGHT}"


def width_of(text: str) -> int:
    """Return how many columns a terminal takes for a text."""
    return len(text) if text.isascii() else cell_len(text)


def cut(text: str, columns: int) -> str:
    """Return text cut to so many columns, with a sign that it was cut."""
    if width_of(text) <= columns:
        return text
    room, told = columns - 1, ""
    for character in text:
        room -= width_of(character)
        if room < 0:
            break
        told += character
    return f"{told}…" if columns > 0 else ""


def padded(text: str, columns: int, *, right: bool = False) -> str:
    """Return text filled with blanks to so many columns."""
    blanks = " " * max(0, columns - width_of(text))
    return blanks + text if right else text + blanks

"""Rows that are equal only because all of them were cut at the same length."""

from __future__ import annotations

from pipedoctor.facts import Duplicates, Lengths
from pipedoctor.units import count

MOST = 0.5
"""Texts differ in length: where so many rows are as long as the longest, they were cut there."""

SHORT = 32
"""
Texts that begin alike part within so many tokens: of 640 pieces of news, 106 were equal to another
one up to 8 tokens, 35 up to 32, and 22 up to 48.
"""


def cut_at(rows: Duplicates, lengths: Lengths | None) -> str:
    """Return words on the length at which rows were cut, if that may be why they are equal."""
    if lengths is None or lengths.packed or "input_ids" not in rows.columns:
        return ""
    if lengths.longest > SHORT or lengths.at_longest < MOST * lengths.rows:
        return ""
    return (
        f"; {count(lengths.at_longest)} of {count(lengths.rows)} rows end at exactly "
        f"{count(lengths.longest)} tokens, where they seem to be cut: what tells them apart may "
        "come behind that"
    )


def longer(lengths: Lengths | None) -> str:
    """Return what keeps more of each text."""
    known = "" if lengths is None else f" than {count(lengths.longest)}"
    return f"tokenise with a larger max_length{known}, and look again"

"""Whatever the data holds, it is told in full, and steers no terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipedoctor.reporters.batch_text import cut, harmless, in_place, padded, width_of


@given(st.text())
def test_nothing_steers_the_terminal(text: str) -> None:
    told = harmless(text)
    assert not {unicodedata.category(c) for c in told} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert harmless(told) == told


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_text_is_left_as_it_is(text: str) -> None:
    assert harmless(text) == text


@given(st.text(), st.integers(0, 40))
def test_cut_and_padded_text_takes_the_room_it_is_given(text: str, columns: int) -> None:
    shown = cut(harmless(text), columns)
    assert width_of(shown) <= columns
    assert width_of(padded(shown, columns)) == columns


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("\x1b[31mred\n", "\\x1b[31mred\\n"),
        ("a\u202eb\u2066c", "a\\u202eb\\u2066c"),
        ("z\u200bw\U000e0041", "z\\u200bw\\U000e0041"),
        ("\u0301a", "◌\u0301a"),
        ("a" + "\u0301" * 6, "a" + "\u0301" * 4 + "\\u0301" * 2),
        ("❤\ufe0f", "❤\\ufe0f"),
        ("東京 עלם", "東京 עלם"),
    ],
)
def test_what_becomes_of(text: str, told: str) -> None:
    assert harmless(text) == told


def test_wide_characters_count_twice() -> None:
    assert (width_of("東京"), cut("東京都", 5), padded("東", 4)) == (4, "東京…", "東  ")


def test_text_that_runs_to_the_left_keeps_to_its_place() -> None:
    assert in_place("abc 12") == "abc 12"
    assert in_place("עלם") == "\u200eעלם\u200e"

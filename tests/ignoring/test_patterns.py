from __future__ import annotations

import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipedoctor.ignoring.patterns import PerFile, matches, pairs


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*.json", "/a/b/c.json"),
        ("/a/**/c.json", "/a/c.json"),
        ("/a/**/c.json", "/a/x/y/c.json"),
        ("/a/*.json", "/a/b/c.json"),
        ("/a/?.json", "/a/c.json"),
        ("/a/[bc].json", "/a/c.json"),
        ("/a/[!b].json", "/a/c.json"),
        ("/a/[a-d].json", "/a/c.json"),
        ("/a.b/c+d.json", "/a.b/c+d.json"),
        ("/a/[z-a].json", "/a/[z-a].json"),
    ],
)
def test_a_pattern_that_stands_for_a_path(pattern: str, path: str) -> None:
    assert matches(pattern, path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("/a/?.json", "/a/cc.json"),
        ("/a/[!c].json", "/a/c.json"),
        ("/a.json", "/axjson"),
        ("*.json", "/a/c.jsonl"),
        ("/a/**/c.json", "/ac.json"),
    ],
)
def test_a_pattern_that_does_not(pattern: str, path: str) -> None:
    assert not matches(pattern, path)


@given(st.text(max_size=20))
def test_any_text_is_a_pattern_and_plain_ones_stand_for_themselves(text: str) -> None:
    matched = matches(text, text)
    if not re.search(r"[*?\[]", text):
        assert matched
        assert not matches(text, text + "x")


def test_a_name_is_met_in_any_folder_and_a_path_from_the_root(tmp_path) -> None:
    here = str(tmp_path)
    assert PerFile("c.json", ("HYP",), here).covers("HYP003", os.path.join(here, "x", "c.json"))
    deep = PerFile("x/*.json", ("HYP",), here)
    assert deep.covers("HYP003", os.path.join(here, "x", "c.json"))
    assert not deep.covers("HYP003", os.path.join(here, "y", "x", "c.json"))
    assert not deep.covers("LAB001", os.path.join(here, "x", "c.json"))
    assert not deep.covers("HYP003", None)


def test_without_codes_nothing_is_ignored(tmp_path) -> None:
    assert not PerFile("*", (), str(tmp_path)).covers("HYP003", "c.json")


def test_pairs_of_the_command_line() -> None:
    assert list(pairs("a.json:HYP,lab001, b/*.yaml:CKP")) == [
        ("a.json", ["HYP", "LAB001"]),
        ("b/*.yaml", ["CKP"]),
    ]


@pytest.mark.parametrize("text", ["", "HYP", ":HYP", "a.json:", ",", "HYP,a.json:HYP"])
def test_what_makes_no_pair(text: str) -> None:
    with pytest.raises(ValueError, match="PATTERN:CODES"):
        pairs(text)

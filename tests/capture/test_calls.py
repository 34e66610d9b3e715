"""A call is found in the text by where it ends, or by its line alone, and so are its keywords."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipedoctor.capture.calls import Call, Spot, find, spot

EXACT = pytest.mark.skipif(sys.version_info < (3, 11), reason="Python tells lines only")


def spots(text: str) -> list[Spot]:
    """Run a text, and return where each call of its function `here` was made, in order."""
    seen: list[Spot] = []

    def here(*_words: Any, **_keywords: Any) -> Any:
        frame = sys._getframe(1)
        seen.append(spot(frame.f_code, frame.f_lasti, frame.f_lineno))
        return here

    here.method = here  # type: ignore[attr-defined]  # to call it as one
    exec(compile(text, "<text>", "exec"), {"here": here})
    return seen


def keywords(text: str) -> list[dict[str, int]]:
    """Return the keywords of each of these calls."""
    calls = [find(text, place, frozenset({"here", "method"})) for place in spots(text)]
    assert None not in calls
    return [dict(call.keywords) for call in calls if call is not None]


def test_a_call_over_several_lines() -> None:
    text = "\nx = here(\n    1,\n    a=2,\n    b=[\n        3,\n    ], c=4,\n)\n"
    assert keywords(text) == [{"a": 4, "b": 5, "c": 7}]
    call = find(text, spots(text)[0])
    assert call is not None
    assert call.line == 2


def test_a_keyword_stands_where_its_name_does() -> None:
    assert keywords("here(a=\n     2,\n\n     b=3)") == [{"a": 1, "b": 4}]


@EXACT
def test_calls_in_calls() -> None:
    text = "here(\n    a=here(b=1),\n    c=here(\n        a=2,\n    ),\n)"
    assert keywords(text) == [{"b": 2}, {"a": 4}, {"a": 2, "c": 3}]


@EXACT
def test_two_calls_in_a_line() -> None:
    assert keywords("here(a=1); here(b=2)") == [{"a": 1}, {"b": 1}]
    assert keywords("here(a=1)(b=2)(c=3)") == [{"a": 1}, {"b": 1}, {"c": 1}]


def test_a_method_on_a_line_of_its_own() -> None:
    text = "(\n    here\n    .method(\n        a=1,\n    )\n)"
    assert keywords(text) == [{"a": 4}]


def test_a_decorator() -> None:
    text = "@here(\n    a=1,\n)\ndef f():\n    pass"
    assert keywords(text)[0] == {"a": 2}


def test_a_lambda_and_a_comprehension() -> None:
    assert keywords("f = lambda: here(a=1)\nf()") == [{"a": 1}]
    assert keywords("[\n    here(a=n)\n    for n in range(2)\n]") == [{"a": 2}, {"a": 2}]


def test_a_mapping_that_is_written_out_in_the_call() -> None:
    assert keywords("here(\n    a=1,\n    **{\n        'b': 2,\n    },\n)") == [{"a": 2, "b": 4}]
    assert keywords("more = {'b': 2}\nhere(a=1, **more)") == [{"a": 2}]


def test_letters_of_several_bytes_before_it() -> None:
    assert keywords("x = 'ähü€𝄞'; here(a=1)") == [{"a": 1}]


def test_secrets_of_the_call_are_told() -> None:
    text = "here(hub_token='hf_abc', other=here(password='x y'), pad_token='[PAD]', api_key=None)"
    call = find(text, Spot(1, (1, len(text))))
    assert call is not None
    assert sorted(call.secrets) == ["hf_abc", "x y"]


def test_by_its_line_alone_a_call_is_found_if_just_one_can_be_meant() -> None:
    names = frozenset({"Model"})
    text = "Model(a=1)\ntrain(Model(\n    a=2,\n))\nModel(Model(a=3))\nx.Model(\n    a=4)\n"
    assert find(text, Spot(1), names) == Call(1, {"a": 1})
    assert find(text, Spot(2), names) == Call(2, {"a": 3})
    assert find(text, Spot(5), names) is None
    assert find(text, Spot(6), names) == Call(6, {"a": 7})
    assert find(text, Spot(3), names) is None


def test_without_a_text_or_in_one_that_is_no_python_nothing_is_found() -> None:
    assert find("", Spot(1)) is None
    assert find("def (", Spot(1, (1, 5))) is None
    assert find("\0", Spot(1)) is None


def test_code_that_does_not_know_its_columns() -> None:
    code = compile("here()", "<text>", "eval")
    assert spot(code, -1, 7) == Spot(7)


NAMES = st.lists(st.sampled_from("abcdefgh"), unique=True)
BREAKS = st.sampled_from(["", " ", "\n", "\n\n  ", "  # a comment, with (a=1\n"])


@EXACT
@given(st.data())
def test_every_keyword_is_found_whatever_the_layout(data: st.DataObject) -> None:
    text, wanted = "(" + data.draw(BREAKS), list[dict[str, int]]()
    for _ in range(data.draw(st.integers(1, 3))):
        text += "here(" + data.draw(BREAKS)
        lines = {}
        for name in data.draw(NAMES):
            lines[name] = text.count("\n") + 1
            text += name + data.draw(BREAKS) + "=" + data.draw(BREAKS) + "1" + data.draw(BREAKS)
            text += "," + data.draw(BREAKS)
        wanted.append(lines)
        text += ")," + data.draw(BREAKS)
    assert keywords(text + ")") == wanted


@given(st.text(), st.integers(1, 9), st.none() | st.tuples(st.integers(1, 9), st.integers(0, 99)))
def test_no_text_is_too_strange(text: str, line: int, end: tuple[int, int] | None) -> None:
    call = find(text, Spot(line, end), frozenset({"f"}))
    assert call is None or call.line >= 1

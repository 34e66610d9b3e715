"""Edits of configs: what is read afterwards is what it should be, and other lines are untouched."""

from __future__ import annotations

import difflib
from contextlib import suppress

import pytest
from fixing.documents import NAMES, VALUES, Document, documents
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipedoctor.fix import Edit, Fix, delete, put, rename
from pipedoctor.fixing import Refused
from pipedoctor.fixing.edits import edited
from pipedoctor.fixing.layout import normalised
from pipedoctor.targets.document import parser
from pipedoctor.targets.source import Source

EDITS = (
    st.builds(put, st.sampled_from([*NAMES[:-1], "new_key"]), VALUES)
    | st.builds(rename, st.sampled_from(NAMES), st.sampled_from(["new_key", "output_dir"]))
    | st.builds(delete, st.sampled_from(NAMES))
)


def fixed(dialect: str, text: str, *edits: Edit) -> str:
    return edited(text, f"c.{dialect}", Fix("", edits, safe=True))


def values(dialect: str, text: str) -> dict[str, object]:
    source = Source(f"c.{dialect}", normalised(text))
    return parser(source)(source).values


def expected(stated: dict[str, object], edit: Edit) -> dict[str, object]:
    if edit.action == "set":
        return {**stated, edit.key: edit.value}
    if edit.action == "rename":
        return {edit.name if key == edit.key else key: value for key, value in stated.items()}
    return {key: value for key, value in stated.items() if key != edit.key}


def shown(stated: dict[str, object]) -> list[tuple[str, str]]:
    return [(key, repr(value)) for key, value in stated.items()]


@settings(max_examples=200, deadline=None)
@given(documents, EDITS)
@example(
    Document("json", '{"seed":1,\r\n "fp16": true\r\n}', {"seed": 1, "fp16": True}), delete("fp16")
)
def test_a_document_says_what_it_should_and_its_other_lines_are_the_same(
    document: Document, edit: Edit
) -> None:
    assert shown(values(document.dialect, document.text)) == shown(document.stated)
    wanted = expected(document.stated, edit)
    if edit.action != "set" and edit.key not in document.stated:
        with pytest.raises(Refused, match="is not stated there"):
            fixed(document.dialect, document.text, edit)
        return
    if not wanted and document.dialect != "json":
        with suppress(Refused):  # an empty file is no config; an empty mapping in YAML is one
            assert values(document.dialect, fixed(document.dialect, document.text, edit)) == {}
        return
    text = fixed(document.dialect, document.text, edit)
    tables = [key for key in wanted if key != "table"], [key for key in wanted if key == "table"]
    in_order = {key: wanted[key] for part in tables for key in part}
    told = values(document.dialect, text)
    assert shown(told) == shown(in_order if document.dialect == "toml" else wanted)

    before, after = (each.splitlines(keepends=True) for each in (document.text, text))
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    touched = [before[i1:i2] for tag, i1, i2, _, _ in matcher.get_opcodes() if tag != "equal"]
    assert len(touched) <= 2, "the item's own lines, and that with the comma before it"
    if edit.action == "rename" or (edit.action == "set" and edit.key not in document.stated):
        assert sum(map(len, touched)) <= 2


@given(documents, st.sampled_from(["new_key", "output_dir"]), VALUES)
@settings(max_examples=60, deadline=None)
def test_what_is_added_and_taken_away_again_leaves_what_is_stated(
    document: Document, name: str, value: object
) -> None:
    added = fixed(document.dialect, document.text, put(name, value))
    back = fixed(document.dialect, added, delete(name))
    assert shown(values(document.dialect, back)) == shown(document.stated)


@pytest.mark.parametrize(
    ("dialect", "before", "edit", "after"),
    [
        ("json", '{"a":1,"b":2}', put("c", 3), '{"a":1,"b":2,"c":3}'),
        ("json", "{ }", put("c", 3), '{"c": 3 }'),
        ("json", '{\n\t"a" : 1\n}\n', put("c", "x"), '{\n\t"a" : 1,\n\t"c" : "x"\n}\n'),
        ("json", '{\n  "a": 1,\n  "b": 2\n}', delete("b"), '{\n  "a": 1\n}'),
        (
            "json",
            '{\n  "a": 1, "b": 2,\n    "c": 3\n}',
            delete("b"),
            '{\n  "a": 1,\n    "c": 3\n}',
        ),
        ("json", '{"a": 1, "b": 2, "a": 3}', put("a", 4), '{"a": 1, "b": 2, "a": 4}'),
        ("json", '{"a": 1, "b": 2, "a": 3}', delete("a"), '{"b": 2}'),
        ("json", '{"a": 1, "b": 2, "a": 3}', rename("a", "c"), '{"b": 2, "c": 3}'),
        ("json", '{"\\u0061": 1}', rename("a", "c"), '{"c": 1}'),
        ("json", '{"a": 1}', put("a", 2e-05), '{"a": 2.0e-5}'),
        ("yaml", "a: 1  # why\nb: 2\n", put("a", 2e-05), "a: 2.0e-5  # why\nb: 2\n"),
        ("yaml", "a: x\n", put("a", "no"), 'a: "no"\n'),
        ("yaml", "a: x\n", put("a", "epoch"), "a: epoch\n"),
        ("yaml", "a:\nb: 1\n", put("a", 3), "a: 3\nb: 1\n"),
        ("yaml", "a: |\n  one\n  two\nb: 1", delete("a"), "b: 1"),
        ("yaml", "a: 1\nb: [1,\n  2]  # two\nc: 3\n", delete("b"), "a: 1\nc: 3\n"),
        ("yaml", "a:  # why\n  - 1\n  - 2\nb: 3\n", put("a", 4), "a: 4  # why\nb: 3\n"),
        ("yaml", "'a': 1", rename("a", "c"), "'c': 1"),
        ("yaml", "x: &x 5\na: *x\n", put("a", 6), "x: &x 5\na: 6\n"),
        ("yaml", "<<: {a: 1}\nb: 2\n", put("a", 6), "<<: {a: 1}\nb: 2\na: 6\n"),
        ("toml", "a=1\n[t]\na = 2\n", put("c", True), "a=1\nc=true\n[t]\na = 2\n"),
        ("toml", "[t]\na = 2\n", put("c", True), "c = true\n[t]\na = 2\n"),
        ("toml", 'a = """x\n# a = 1\n"""\nb = 1\n', delete("a"), "b = 1\n"),
        ("toml", 'a = "#" # why\n', put("a", {"b": [1.0]}), "a = {b = [1.0]} # why\n"),
        ("toml", "a = 1\r\nb = 2\r\n", put("c", 3), "a = 1\r\nb = 2\r\nc = 3\r\n"),
    ],
)
def test_layouts(dialect: str, before: str, edit: Edit, after: str) -> None:
    assert fixed(dialect, before, edit) == after


@pytest.mark.parametrize(
    ("dialect", "before", "edit", "reason"),
    [
        ("yaml", "x: &x 5\na: *x\n", put("x", 6), "by hand"),
        ("yaml", "x: &x 5\na: *x\n", delete("x"), "by hand"),
        ("yaml", "<<: {a: 1}\nb: 2\n", delete("a"), "not stated there"),
        ("yaml", "? a\n: 1\nb: 2\n", delete("a"), "something else stands before"),
        ("yaml", "a: 1\n", delete("a"), "by hand"),
        ("json", '{"a": 1, "b": 2}', rename("a", "b"), "b is stated there as well"),
        ("toml", "a = 1\n", put("a", None), "no word for nothing"),
        ("toml", "a.b = 1\n", delete("a"), "not stated there"),
        ("toml", "[a]\nb = 1\n", rename("a", "c"), "not stated there"),
        ("json", '{"a": 1}', put("a", float("inf")), "no number"),
    ],
)
def test_what_is_left_to_the_user(dialect: str, before: str, edit: Edit, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        fixed(dialect, before, edit)

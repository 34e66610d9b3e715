"""Keywords of a call in a script: set, added, renamed, taken away; all else of the script stays."""

from __future__ import annotations

import ast
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipedoctor.fix import Edit, Fix, delete, put, rename
from pipedoctor.fixing import Refused
from pipedoctor.fixing.edits import edited

IMPORT = "from transformers import AutoModel, TrainingArguments\n"


def add(key: str, value: object) -> Edit:
    return Edit("add", key, value)


def fixed(body: str, *edits: Edit, line: int = 2, part: str = "settings") -> str:
    fix = Fix("", edits, safe=True, file="t.py", line=line, part=part)  # type: ignore[arg-type]
    text = edited(IMPORT + body, "t.py", fix)
    assert text.startswith(IMPORT)
    return text.removeprefix(IMPORT)


@pytest.mark.parametrize(
    ("before", "edit", "after"),
    [
        ("TrainingArguments('o', seed=1)", add("a", 2), "TrainingArguments('o', seed=1, a=2)"),
        ("TrainingArguments()", add("a", "no"), 'TrainingArguments(a="no")'),
        ("TrainingArguments('o',)", add("a", 2), "TrainingArguments('o', a=2)"),
        ("TrainingArguments(seed = 1)", put("seed", 2), "TrainingArguments(seed = 2)"),
        ("TrainingArguments(seed=(1))", put("seed", 2e-5), "TrainingArguments(seed=(2.0e-5))"),
        ("TrainingArguments(lr=-1)", put("lr", None), "TrainingArguments(lr=None)"),
        ("TrainingArguments(a=f(1, b=2), c=3)", delete("c"), "TrainingArguments(a=f(1, b=2))"),
        ("TrainingArguments(a=f(1, b=2), c=3)", delete("a"), "TrainingArguments(c=3)"),
        ("TrainingArguments(a=lr())", rename("a", "b"), "TrainingArguments(b=lr())"),
        (
            "x = TrainingArguments(\n    'é', a=1,  # one, (\n    b=2  # two )\n)  # end\n",
            add("c", True),
            "x = TrainingArguments(\n    'é', a=1,  # one, (\n    b=2,  # two )\n    c=True\n)  # end\n",
        ),
        (
            "x = TrainingArguments(\n    a=1,  # one\n    b=2,  # two\n)\n",
            delete("b"),
            "x = TrainingArguments(\n    a=1,  # one\n)\n",
        ),
        (
            "x = TrainingArguments(\n    a=1,  # one\n    b=2)\n",
            delete("b"),
            "x = TrainingArguments(\n    a=1  # one\n    )\n",
        ),
        (
            "x = TrainingArguments(a=1,\n                      b=[\n  2,\n  ],\n                      c=3)\n",
            delete("b"),
            "x = TrainingArguments(a=1,\n                      c=3)\n",
        ),
        (
            "(  # why\n  TrainingArguments\n)(a=1)",
            add("b", 2),
            "(  # why\n  TrainingArguments\n)(a=1, b=2)",
        ),
    ],
)
def test_layouts(before: str, edit: Edit, after: str) -> None:
    assert fixed(before, edit) == after


def test_line_ends_and_odd_characters_stay() -> None:
    before = "x = '\x0c\u2028'\r\nTrainingArguments(\r\n\ta=1\r\n)\r\n"
    after = "x = '\x0c\u2028'\r\nTrainingArguments(\r\n\ta=1,\r\n\tb=2\r\n)\r\n"
    assert fixed(before, add("b", 2), line=3) == after


def test_a_call_by_another_name_or_class_is_found() -> None:
    import_as = "from transformers import TrainingArguments as TA\nclass Mine(TA): pass\n"
    assert fixed(f"{import_as}Mine(a=1)", put("a", 2), line=4) == f"{import_as}Mine(a=2)"
    loading = "m = AutoModel.from_pretrained(\n    'bert',\n    num_labels=2,\n)"
    told = fixed(loading, put("num_labels", 3), line=4, part="model")
    assert told == loading.replace("2", "3")


@pytest.mark.parametrize(
    ("body", "edit", "reason"),
    [
        ("TrainingArguments(**o)", add("a", 1), "states more than can be seen"),
        ("TrainingArguments(a=1, **o)", put("b", 1), "b is not a keyword of the call"),
        ("TrainingArguments(a=args.a)", put("a", 1), "a is worked out"),
        ("TrainingArguments('out')", delete("output_dir"), "not a keyword of the call"),
        ("parser.parse_args()", add("a", 1), "no call that is certainly TrainingArguments"),
        ("f(TrainingArguments(a=1), TrainingArguments(a=1))", put("a", 2), "more than one call"),
        ("TrainingArguments(a=1, b=2)", rename("a", "b"), "b is stated there as well"),
        ("TrainingArguments(a=1)", rename("a", "b c"), "can't be the name of a keyword"),
        ("TrainingArguments(*o)", add("a", 1), "states more than can be seen"),
    ],
)
def test_what_is_left_to_the_user(body: str, edit: Edit, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        fixed(body, edit)


def test_the_same_change_of_two_calls_on_several_lines() -> None:
    body = "a = TrainingArguments(seed=1)\nm = AutoModel.from_pretrained('x')\n"
    told = fixed(body, add("num_labels", 3), line=3, part="model")
    assert told == body.replace("'x'", "'x', num_labels=3")


GAPS = st.sampled_from(["", " ", "\n", "\n    ", "  # why, (\n  ", "\n\n\t# x)\n\t"])
WORDS = st.sampled_from(["1", "-2.5", "'a,)'", "[1,\n 2]", "{'b': (3, )}", "None", '"""x\n,"""'])


@st.composite
def calls(draw: Callable[..., str]) -> tuple[str, dict[str, object]]:
    """Return a call in any layout that Python takes, and the literals of its keywords."""
    names = draw(st.lists(st.sampled_from("abcd"), unique=True, max_size=4))
    values = {name: draw(WORDS) for name in names}
    first = [f"{draw(GAPS)}'out'{draw(GAPS)}"] if draw(st.booleans()) else []
    equals = st.sampled_from(["=", " = ", "=\n  "])
    items = [
        *first,
        *(f"{draw(GAPS)}{name}{draw(equals)}{word}{draw(GAPS)}" for name, word in values.items()),
    ]
    comma = f",{draw(GAPS)}" if items and draw(st.booleans()) else ""
    text = f"x = 'é'\nargs = TrainingArguments({','.join(items)}{comma})  # end\ny = x\n"
    return text, {name: ast.literal_eval(word) for name, word in values.items()}


@settings(max_examples=250, deadline=None)
@given(
    calls(),
    st.sampled_from("abcd").map(delete)
    | st.builds(put, st.sampled_from("abcd"), st.sampled_from([7, "no", 2e-5, [True, None]]))
    | st.builds(rename, st.sampled_from("abcd"), st.just("new")),
    st.sampled_from(["\n", "\r\n"]),
)
def test_any_layout(call: tuple[str, dict[str, object]], edit: Edit, newline: str) -> None:
    text, stated = call
    if edit.key not in stated:
        if edit.action != "set":
            return
        edit = add(edit.key, edit.value)
    told = fixed(text.replace("\n", newline), edit, line=3)
    assert told.count("\n") == told.count(newline)
    assert told.startswith(f"x = 'é'{newline}")
    assert told.endswith(f"  # end{newline}y = x{newline}")
    tree = ast.parse(told.replace(newline, "\n"))
    (node,) = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    after = {str(word.arg): ast.literal_eval(word.value) for word in node.keywords}
    renamed = {edit.name if key == edit.key else key: value for key, value in stated.items()}
    gone = {key: value for key, value in stated.items() if key != edit.key}
    wanted = {"rename": renamed, "delete": gone}.get(edit.action, {**stated, edit.key: edit.value})
    assert list(after.items()) == list(wanted.items())

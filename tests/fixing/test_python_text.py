"""Keywords of a call in a script: set, added, renamed, taken away; all else of the script stays."""

from __future__ import annotations

import pytest

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

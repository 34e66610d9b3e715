"""A script as a target: its text is a part, and what is no script is told in one sentence."""

from __future__ import annotations

import pytest

from pipedoctor.targets import TargetError, resolve


@pytest.fixture
def written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(text: str) -> str:
        (tmp_path / "train.py").write_text(text, encoding="utf-8")
        return "train.py"

    return write


def test_its_text_is_a_part_that_knows_its_file(written) -> None:
    target = resolve(written("x = 1\n"), ["--lr", "1"])
    assert target.parts["script"] == "x = 1\n"
    assert target.parts["script"].file == "train.py"
    assert target.arguments == ("--lr", "1")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "import os\n%pip install trl\n",
            "train.py:2: %pip install trl is a command of a notebook",
        ),
        ("!ls\n", "train.py:1: !ls is a command of a notebook"),
        ('print "x"\n', "train.py:1: print without parentheses is Python 2"),
        ("def f(:\n", "train.py:1: "),
        ("return 1\n", "train.py:1: 'return' outside function"),
        ("x = " + "(" * 500, "train.py:"),
    ],
)
def test_what_is_no_script(written, text: str, told: str) -> None:
    with pytest.raises(TargetError) as caught:
        resolve(written(text))
    assert str(caught.value).startswith(told)
    assert "\n" not in str(caught.value)


def test_an_odd_escape_in_it_warns_nobody(written, recwarn) -> None:
    resolve(written("x = '\\d'\n"))
    assert not recwarn.list

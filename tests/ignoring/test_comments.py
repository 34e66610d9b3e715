from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipedoctor.ignoring import comments


def wishes(tmp_path: Path, name: str, text: str) -> list[tuple[int | None, tuple[str, ...]]]:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8", newline="")
    return [(one.where.line, one.codes) for one in comments.read(str(path))]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("train.py", "a = 1\r\nb = 2  # pipedoctor: ignore[hyp003, LAB001]\r\n"),
        ("c.toml", "a = 1\nb = 2 #pipedoctor:ignore[HYP003,LAB001]\n"),
        ("c.yaml", "a: 1\nb: 2 # pipedoctor: ignore[HYP003,LAB001]\n"),
        ("c.yml", "\ufeffa: 1\n# pipedoctor: ignore[HYP003,LAB001]\n"),
        ("c.conf", "a: 1\rb: [2] # pipedoctor: ignore[HYP003,LAB001,HYP003]"),
    ],
)
def test_a_comment_is_found_on_its_line(tmp_path: Path, name: str, text: str) -> None:
    assert wishes(tmp_path, name, text) == [(2, ("HYP003", "LAB001"))]


def test_several_comments_on_a_line_and_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(
        "x = 1  # noqa: E501  # pipedoctor: ignore[HYP003] \u2014 as in the paper  # done\n"
    )
    (one,) = comments.read(str(path))
    assert (one.codes, one.reason, one.whole_file) == (("HYP003",), "as in the paper", False)


def test_the_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("# pipedoctor: ignore-file[CKP]\nsave_steps = 1\n")
    (one,) = comments.read(str(path))
    assert one.covers("CKP001", None) == "CKP"
    assert one.covers("CKP001", 77) == "CKP"
    assert one.covers("HYP001", 1) is None


def test_a_comment_speaks_of_its_own_line_only(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("seed = 1 # pipedoctor: ignore[HYP]\n")
    (one,) = comments.read(str(path))
    assert one.covers("HYP003", 1) == "HYP"
    assert one.covers("HYP003", 2) is None
    assert one.covers("HYP003", None) is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("train.py", 'x = "# pipedoctor: ignore[HYP003]"\n'),
        ("train.py", 'x = """\n# pipedoctor: ignore[HYP003]\n"""\n'),
        ("c.toml", 'x = "# pipedoctor: ignore[HYP003]"\n'),
        ("c.toml", "x = '# pipedoctor: ignore[HYP003]'\n"),
        ("c.toml", "x = '''\n# pipedoctor: ignore[HYP003]\n'''\n"),
        ("c.toml", 'x = """\n\\""" # pipedoctor: ignore[HYP003]\n"""\n'),
        ("c.yaml", 'x: "# pipedoctor: ignore[HYP003]"\n'),
        ("c.yaml", "x: 'it''s # pipedoctor: ignore[HYP003]'\n"),
        ("c.yaml", "x: word# pipedoctor: ignore[HYP003]\n"),
        ("c.json", '{"x": 1} # pipedoctor: ignore[HYP003]\n'),
        ("c.conf", '{"x": 1} # pipedoctor: ignore[HYP003]\n'),
        ("c.yaml", "x: 1 # pipedoctor: ignored[HYP003]\n"),
        ("c.yaml", "x: 1 # pipedoctor: please ignore[HYP003]\n"),
    ],
)
def test_what_is_no_comment_for_us(tmp_path: Path, name: str, text: str) -> None:
    assert wishes(tmp_path, name, text) == []


def test_an_apostrophe_begins_no_quotation_within_a_word(tmp_path: Path) -> None:
    text = "x: it's fine # pipedoctor: ignore[HYP003]\ny: isn't it\n"
    assert wishes(tmp_path, "c.yaml", text) == [(1, ("HYP003",))]


def test_a_comment_that_names_no_code_is_kept_to_be_told(tmp_path: Path) -> None:
    assert wishes(tmp_path, "c.yaml", "x: 1 # pipedoctor: ignore\n") == [(1, ())]
    assert wishes(tmp_path, "c.yaml", "x: 1 # pipedoctor: ignore[ , ]\n") == [(1, ())]


def test_a_script_that_is_no_python_has_what_stands_before_the_error(tmp_path: Path) -> None:
    text = "x = 1  # pipedoctor: ignore[HYP003]\ny = '''\n"
    assert wishes(tmp_path, "train.py", text) in ([(1, ("HYP003",))], [])


def test_no_file_no_wishes(tmp_path: Path) -> None:
    assert comments.read(str(tmp_path / "none.py")) == []
    assert comments.read(str(tmp_path)) == []


@given(
    st.text(alphabet="#'\"\\ab[]{},:= \n\t|é\x00", max_size=60),
    st.sampled_from([".py", ".toml", ".yaml"]),
)
def test_whatever_stands_in_a_file_is_read_without_an_error(
    tmp_path_factory: pytest.TempPathFactory, text: str, suffix: str
) -> None:
    path = tmp_path_factory.getbasetemp() / f"odd{suffix}"
    path.write_bytes(f"{text}\n# pipedoctor: ignore[HYP003]\n{text}".encode())
    lines = path.read_text(encoding="utf-8").split("\n")
    for one in comments.read(str(path)):
        assert "pipedoctor: ignore[HYP003]" in lines[(one.where.line or 0) - 1]

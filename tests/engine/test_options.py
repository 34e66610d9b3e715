from __future__ import annotations

from pathlib import Path

import pytest
from engine.samples import rule

from pipedoctor import Severity
from pipedoctor.listed_targets import split_target
from pipedoctor.options import Options, UsageError, merge, read_settings
from pipedoctor.registry import Registry, Row

KNOWN = Registry(
    (
        Row(rule("HYP003"), "", (), {"share": 1.0}, {}, "", ""),
        Row(rule("LAB001"), "", (), {"strict": True}, {}, "", ""),
        Row(rule("LAB002"), "", (), {}, {}, "", ""),
    )
)


def chosen(**wishes: object) -> list[str]:
    return [row.code for row in Options(**wishes).choose(KNOWN.rows)]


def test_selection_is_by_the_beginning_of_a_code() -> None:
    assert chosen() == ["HYP003", "LAB001", "LAB002"]
    assert chosen(select=("LAB",)) == ["LAB001", "LAB002"]
    assert chosen(select=("LAB",), ignore=("LAB001",)) == ["LAB002"]


def test_the_longer_word_decides_and_ignore_of_two_equal_ones() -> None:
    assert chosen(ignore=("LAB",), extend_select=("LAB002",)) == ["HYP003", "LAB002"]
    assert chosen(select=("LAB002",), ignore=("LAB",)) == ["LAB002"]
    assert chosen(select=("LAB",), ignore=("LAB",)) == []
    assert chosen(select=("HYP",), extend_select=("LAB001",)) == ["HYP003", "LAB001"]
    assert chosen(extend_select=("LAB001",)) == ["HYP003", "LAB001", "LAB002"]


def test_what_it_can_state_of_accepted_findings(tmp_path: Path) -> None:
    options = merge(
        {
            "extend-select": ["LAB"],
            "per-file-ignores": {"old/*.json": ["HYP", "LAB001"]},
            "max-warnings": 0,
            "baseline": "known.json",
        },
        str(tmp_path / "pyproject.toml"),
        KNOWN,
    )
    assert options.extend_select == ("LAB",)
    (one,) = options.per_file
    assert (one.pattern, one.codes, one.root) == ("old/*.json", ("HYP", "LAB001"), str(tmp_path))
    assert options.max_warnings == 0
    assert Path(options.baseline or "").resolve() == (tmp_path / "known.json").resolve()
    assert merge({}, "pyproject.toml", KNOWN).max_warnings is None


def test_the_table_is_found_in_the_nearest_file_that_has_it(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("[tool.pipedoctor]\nignore = ['LAB001']\n")
    (tmp_path / "a" / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    settings, path = read_settings(str(inner))
    assert settings == {"ignore": ["LAB001"]}
    assert path == str(tmp_path / "pyproject.toml")


def test_all_that_it_can_state() -> None:
    options = merge(
        {
            "select": ["LAB"],
            "ignore": ["LAB002"],
            "severity": {"LAB001": "note"},
            "checks": {"HYP003": {"share": 0.5}, "LAB001": {"strict": False}},
            "preview": True,
            "time": 5,
            "targets": ["train.py -- --name 'a b'", "config.json", "config.json"],
        },
        "pyproject.toml",
        KNOWN,
    )
    assert options.select == ("LAB",)
    assert options.severities == {"LAB001": Severity.NOTE}
    assert options.of("HYP003") == {"share": 0.5}
    assert options.of("LAB001") == {"strict": False}
    assert (options.preview, options.seconds) == (True, 5.0)
    assert options.targets == ("train.py -- --name 'a b'", "config.json")
    assert split_target(options.targets[0]) == ("train.py", ["--name", "a b"])
    assert split_target("'my train.py'") == ("my train.py", [])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"selekt": []}, "unknown key 'selekt'"),
        ({"select": ["ZZZ"]}, "no check has a code like 'ZZZ'"),
        ({"select": "LAB"}, "select takes a list of codes"),
        ({"ignore": [""]}, "no check has a code like ''"),
        ({"checks": {"ZZZ001": {}}}, "there is no check ZZZ001"),
        ({"checks": {"HYP003": {"shar": 1}}}, "HYP003 has no option 'shar'; it has: share"),
        ({"checks": {"HYP003": {"share": "much"}}}, "HYP003.share takes a number, not 'much'"),
        ({"checks": {"HYP003": 1}}, "HYP003 takes a table of options"),
        ({"severity": {"LAB001": "fatal"}}, "'fatal' is no severity"),
        ({"severity": {"LAB009": "note"}}, "there is no check LAB009"),
        ({"severity": {"LAB": "note"}}, "there is no check LAB"),
        ({"select": [1]}, "no check has a code like 1"),
        ({"time": -5}, "time takes a number of seconds above 0"),
        ({"preview": "yes"}, "preview takes true or false, not 'yes'"),
        ({"checks": {"LAB001": {"strict": 1}}}, "LAB001.strict takes true or false, not 1"),
        ({"targets": "train.py"}, r"targets takes a list such as \["),
        ({"targets": [["train.py"]]}, r"targets takes texts such as .*, not \["),
        ({"targets": ["train.py --epochs 1"]}, "write the script's own arguments after --"),
        ({"targets": ["''"]}, "it has no name"),
        ({"targets": ["'train.py"]}, "No closing quotation"),
        ({"extend-select": ["LAB9"]}, "no check has a code like 'LAB9'; did you mean LAB"),
        ({"select": ["fault-hyp003"]}, "that is the name of HYP003"),
        ({"per-file-ignores": ["a"]}, "per-file-ignores takes a table, not"),
        ({"per-file-ignores": {"a": "LAB"}}, "takes a list of codes"),
        ({"per-file-ignores": {"a": ["HPY"]}}, "no check has a code like 'HPY'; did you mean HYP"),
        ({"max-warnings": -1}, "max-warnings takes a number of warnings, 0 or more, not -1"),
        ({"max-warnings": True}, "max-warnings takes a number of warnings"),
        ({"baseline": ["x"]}, "baseline takes the name of a file"),
        ({"baseline": ""}, "baseline takes the name of a file"),
        ({"time": "soon"}, "time takes a number of seconds above 0"),
    ],
)
def test_what_makes_no_sense_is_refused(settings: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        merge(settings, "pyproject.toml", KNOWN)
    assert str(caught.value).startswith("pyproject.toml: ")


def test_a_file_that_is_no_toml(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.pipedoctor]\nselect = [\n")
    with pytest.raises(UsageError, match=r"pyproject\.toml is not valid TOML"):
        read_settings(str(tmp_path))

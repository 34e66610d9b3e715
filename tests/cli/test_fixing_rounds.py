"""Fixes that bring further faults to light, or undo each other."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from engine.samples import found

from pipedoctor import Finding, Report
from pipedoctor.cli import fixing, main
from pipedoctor.fix import Fix, put

Judge = Callable[[dict[str, Any]], "int | None"]


@pytest.fixture
def judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Judge], Path]:
    """Take for an examination what tells, from a config, the seed that it should have."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "c.json"
    path.write_text('{"seed": 0}')

    def begin(judge: Judge) -> Path:
        class Examination:
            def __init__(self, *_: object) -> None: ...

            def run(self) -> Report:
                wanted = judge(json.loads(path.read_text()))
                if wanted is None:
                    return Report("c.json", ())
                fix = Fix(f"seed {wanted}", (put("seed", wanted),), True, "c.json")
                return Report("c.json", (found("AAA001", Finding("m", "r", fix=fix)),))

        monkeypatch.setattr(fixing, "Examination", Examination)
        return path

    return begin


def test_rounds_go_on_until_nothing_is_left(
    judged: Callable[[Judge], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = judged(lambda stated: stated["seed"] + 1 if stated["seed"] < 3 else None)
    assert main(["check", "c.json", "--fix"]) == 0
    assert path.read_text() == '{"seed": 3}'
    assert "3 faults fixed" in capsys.readouterr().out


def test_after_ten_rounds_it_ends(judged: Callable[[Judge], Path]) -> None:
    path = judged(lambda stated: stated["seed"] + 1)
    assert main(["check", "c.json", "--fix", "--depth", "static"]) == 1
    assert path.read_text() == '{"seed": 10}'


def test_fixes_that_undo_each_other_end_it(
    judged: Callable[[Judge], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = judged(lambda stated: 1 - stated["seed"])
    assert main(["check", "c.json", "--fix", "--depth", "static"]) == 1
    assert path.read_text() == '{"seed": 1}'
    assert "not fixed: seed 0: it undoes another fix" in capsys.readouterr().out


def test_a_fix_that_changes_nothing_ends_it(judged: Callable[[Judge], Path]) -> None:
    path = judged(lambda stated: stated["seed"])
    assert main(["check", "c.json", "--fix", "--depth", "static"]) == 1
    assert path.read_text() == '{"seed": 0}'


def test_a_file_that_changes_while_it_is_examined_is_left_alone(
    judged: Callable[[Judge], Path], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def judge(_stated: dict[str, Any]) -> int:
        (tmp_path / "c.json").write_text('{"seed": 99}')
        return 5

    path = judged(judge)
    assert main(["check", "c.json", "--fix", "--depth", "static"]) == 2
    assert path.read_text() == '{"seed": 99}'
    assert "was changed meanwhile; run it again" in capsys.readouterr().err

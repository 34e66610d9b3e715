"""What is said of resuming against what a real Trainer then does."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from checkpoints import foretelling, resuming
from checkpoints.rows import BREAKS, ROWS, Row

OFTEN = [name for name, row in ROWS.items() if row.often]
SELDOM = [name for name, row in ROWS.items() if not row.often]

LARGE = {"vocabulary": 150_000}
"""So many rows of 16 elements make a checkpoint of 30 MB, which takes a while to save."""

Outcome = dict[str, Any]


def outcomes(folder: Path, rows: dict[str, dict[str, Any]]) -> dict[str, Outcome]:
    """What came of each row, all of them done in one process and its forks."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    for name, row in rows.items():
        (folder / name).mkdir()
        (folder / name / "row.json").write_text(json.dumps(row))
    sources = [str(Path(resuming.__file__).parent.parent), *sys.path]
    done = subprocess.run(
        [sys.executable, resuming.__file__, str(folder), *rows],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sources))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return {name: json.loads((folder / name / "outcome.json").read_text()) for name in rows}


def asked(folder: Path, name: str) -> dict[str, Any]:
    row = asdict(ROWS[name])
    del row["found"], row["happens"]
    if isinstance(row["asked"], str):
        row["asked"] = str(folder / name / "out" / row["asked"])
    return row


def run(folder: Path, names: list[str]) -> dict[str, Outcome]:
    return outcomes(folder, {name: asked(folder, name) for name in names})


def said(place: Path, row: Row, outcome: Outcome) -> set[str]:
    """The codes of what is found in the state, as a config and live where that is needed."""
    environment = {**row.environment, **({"torch": row.torch} if row.torch else {})}
    found = foretelling.codes(
        place / "before", settings=row.settings, asked=row.asked, environment=environment
    )
    return found | set(outcome.get("found", ()))


def happened(row: Row, outcome: Outcome) -> bool:
    """Whether the outcome is the one of the row."""
    if row.happens == BREAKS:
        return "signal" in outcome or "error" in outcome
    if isinstance(row.happens, str):
        return re.search(row.happens, outcome.get("error", "")) is not None
    return all(
        outcome.get(name) == pytest.approx(value, rel=1e-3) for name, value in row.happens.items()
    )


def test_what_is_said_is_what_happens(tmp_path: Path) -> None:
    done = run(tmp_path, OFTEN)
    found = {name: said(tmp_path / name, ROWS[name], done[name]) for name in OFTEN}
    assert found == {name: set(ROWS[name].found) for name in OFTEN}
    assert {n: done[n] for n in OFTEN if not happened(ROWS[n], done[n])} == {}


@pytest.fixture(scope="module")
def seldom(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Outcome]]:
    folder = tmp_path_factory.mktemp("seldom")
    return folder, run(folder, SELDOM)


@pytest.mark.deep
@pytest.mark.parametrize("name", SELDOM)
def test_what_is_said_of_each_state(name: str, seldom: tuple[Path, dict[str, Outcome]]) -> None:
    folder, done = seldom
    assert said(folder / name, ROWS[name], done[name]) == set(ROWS[name].found)
    assert happened(ROWS[name], done[name]), done[name]


def killed(folder: Path, times: int, longest: float) -> None:
    """Kill runs while they save, and look at what is said of each and what came of it."""
    chance = random.Random(4)
    rows = {
        f"killed-{number}": {
            "left": [],
            "settings": {},
            "live": LARGE,
            "asked": True,
            "torch": "",
            "delay": chance.uniform(0, longest),
        }
        for number in range(times)
    }
    for name, outcome in outcomes(folder, rows).items():
        straight = json.loads((folder / name / "as_it_was.json").read_text())
        messages = json.loads((folder / name / "found.json").read_text())
        broken = "error" in straight
        told = [one for one in messages if "checkpoint-4, which it can't go on from" in one]
        assert bool(told) is broken, (name, straight, messages)
        if broken:
            assert outcome["named"] == str(folder / name / "before" / "checkpoint-2")
        assert outcome["step"] == 8, (name, outcome)


def test_a_run_that_is_killed_while_it_saves(tmp_path: Path) -> None:
    killed(tmp_path, 2, 0.05)


@pytest.mark.deep
def test_twenty_runs_that_are_killed_while_they_save(tmp_path: Path) -> None:
    killed(tmp_path, 20, 0.4)

"""From which checkpoint a training goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pipelines import pipeline

from pipedoctor.fact import Unavailable
from pipedoctor.facts import Resume


def checkpoint(folder: Path, step: int, state: Any = None) -> Path:
    path = folder / f"checkpoint-{step}"
    path.mkdir(parents=True)
    text = json.dumps({"global_step": step, "max_steps": 20} if state is None else state)
    (path / "trainer_state.json").write_text(text)
    return path


def resume(folder: Path, asked: object) -> Resume:
    settings = {"output_dir": str(folder)}
    return pipeline(call={"resume_from_checkpoint": asked}, settings=settings).fact(Resume)


def test_true_means_the_newest_by_number(tmp_path: Path) -> None:
    for step in (9, 10, 2):
        checkpoint(tmp_path, step)
    (tmp_path / "checkpoint-99").write_text("a file")
    (tmp_path / "checkpoint-last").mkdir()
    found = resume(tmp_path, True)
    assert (found.step, found.max_steps) == (10, 20)
    assert found.path == str(tmp_path / "checkpoint-10")


def test_a_path_means_that_one(tmp_path: Path) -> None:
    checkpoint(tmp_path, 10)
    assert resume(tmp_path, checkpoint(tmp_path, 4)).step == 4


def test_a_config_hands_its_argument_on(tmp_path: Path) -> None:
    settings = {"resume_from_checkpoint": str(checkpoint(tmp_path, 4))}
    assert pipeline(settings=settings).fact(Resume).step == 4


@pytest.mark.parametrize("asked", [None, False])
def test_no_wish_no_checkpoint(tmp_path: Path, asked: object) -> None:
    checkpoint(tmp_path, 4)
    with pytest.raises(Unavailable, match="does not resume"):
        resume(tmp_path, asked)


@pytest.mark.parametrize(
    ("state", "reason"),
    [({}, "tells no global_step"), ({"global_step": "4"}, "tells no"), ([], "holds no state")],
)
def test_a_state_that_tells_nothing(tmp_path: Path, state: object, reason: str) -> None:
    with pytest.raises(Unavailable, match=reason):
        resume(tmp_path, checkpoint(tmp_path, 4, state))


def test_a_state_that_is_cut_off(tmp_path: Path) -> None:
    path = checkpoint(tmp_path, 4)
    (path / "trainer_state.json").write_text('{"global_step": 4')
    with pytest.raises(Unavailable, match="can't be read"):
        resume(tmp_path, path)


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="holds no checkpoint"):
        resume(tmp_path, True)


def test_something_else_than_a_path(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="is no path"):
        resume(tmp_path, 3)

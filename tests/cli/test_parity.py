"""One run, given as a config, as a script and as a live object: the same is said of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli.conftest import Run

import pipedoctor as doctor
from pipedoctor.reporters import json as as_json

pytest.importorskip("transformers")

SCRIPT = Path(__file__).with_name("like_run_glue.py")

BROKEN = {
    "train_file": "examples/qnli/train_with_unclear.csv",
    "learning_rate": 2e-2,
    "warmup_steps": 500,
    "logging_steps": 500,
}
REFUSED = {"eval_strategy": "steps", "eval_steps": 3, "save_strategy": "steps", "save_steps": 4}

Report = dict[str, Any]


@pytest.fixture
def reports(
    pipedoctor: Run,
    config: Callable[..., str],
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., dict[str, Report]]:
    """Examine the example's run with other values, in each of these ways."""
    shutil.copy(SCRIPT, project / "train.py")

    def live(name: str) -> Report:
        from cli.like_run_glue import build

        monkeypatch.chdir(project)
        report: Report = json.loads(as_json.render(doctor.examine(build(name))))
        return report

    def told(*words: str) -> Report:
        done = pipedoctor("check", words[0], "--output-format", "json", *words[1:])
        report: Report = json.loads(done.stdout)
        return report

    def run(*ways: str, **changes: Any) -> dict[str, Report]:
        name = config(**changes)
        ask = {
            "config": lambda: told(name),
            "script": lambda: told("train.py", "--", name),
            "live": lambda: live(name),
        }
        return {way: ask[way]() for way in ways}

    return run


def said(report: Report) -> list[tuple[Any, ...]]:
    """Return what is said, without where: a script has other lines than its config."""
    return [
        (found["code"], found["severity"], found["message"], found["evidence"])
        for found in report["findings"]
    ]


def figures(report: Report, *names: str) -> list[dict[str, Any]]:
    return [
        {key: value for key, value in fact.items() if key != "seconds"}
        for fact in sorted(report["facts"], key=lambda one: (one["fact"], str(one.get("split"))))
        if fact["fact"] in names
    ]


SAME = ("Batch", "Columns", "Forward", "Labels", "Model", "Rows", "Schedule", "Tokenizer")


def test_healthy(reports: Callable[..., dict[str, Report]]) -> None:
    """The loss of the first batch is the same too: each of the three seeds as run_glue does."""
    found = reports("config", "script", "live")
    for report in found.values():
        assert report["ready"], report
        assert said(report) == []
    config, script, live = (figures(report, *SAME) for report in found.values())
    assert len(config) > len(SAME)
    assert config == script == live


def test_broken(reports: Callable[..., dict[str, Report]]) -> None:
    found = reports("config", "script", "live", **BROKEN)
    assert [code for code, *_ in said(found["config"])] == ["LAB001", "HYP001", "HYP003", "LOS008"]
    assert said(found["config"]) == said(found["script"]) == said(found["live"])
    places = [entry["where"] for entry in found["script"]["findings"]]
    assert {place["file"].rpartition("/")[2] for place in places} == {"config.json", "train.py"}


def test_arguments_that_trainer_refuses(reports: Callable[..., dict[str, Report]]) -> None:
    """The script gets no further than its arguments, so nothing is told of its schedule."""
    found = reports("config", "script", load_best_model_at_end=True, **REFUSED)
    config, script = said(found["config"]), said(found["script"])
    assert [code for code, *_ in config] == ["CKP005", "CKP022"]
    assert script == config[:1]

from pathlib import Path

import pytest
from facts import findings, schedule, settings, the_finding
from tiny_trainer import train

from pipedoctor.finding import Severity
from pipedoctor_checks.checkpoints.best_model_never_evaluated import (
    best_model_never_evaluated as check,
)

SAVED = {"save_strategy": "best", "metric_for_best_model": "score"}


def test_nothing_is_ever_saved() -> None:
    found = the_finding(check, settings(**SAVED), None)

    assert found.severity is None
    assert found.where.key == "save_strategy"
    assert found.remedy == 'set "eval_strategy": "epoch"'


def test_trainer_saves_nothing_indeed(tmp_path: Path) -> None:
    assert train(tmp_path, **SAVED).left == []


def test_nothing_is_ever_loaded(tmp_path: Path) -> None:
    stated = {"load_best_model_at_end": True, "save_strategy": "no", "eval_strategy": "no"}
    found = the_finding(check, settings(**stated), None)

    assert found.severity is Severity.WARNING
    assert '"save_strategy": "epoch"' in found.remedy
    assert train(tmp_path, **stated).best is None


def test_a_delay_that_outlasts_the_run(tmp_path: Path) -> None:
    stated = {**SAVED, "eval_strategy": "steps", "eval_steps": 2, "eval_delay": 50}
    found = the_finding(check, settings(**stated), schedule(max_steps=10, **stated))

    assert "eval_delay is 50 and the run has 10 steps" in found.message
    assert found.remedy == 'set "eval_delay": 0'
    assert train(tmp_path, **stated).left == []


@pytest.mark.parametrize(
    "stated",
    [
        {},
        {"save_strategy": "epoch"},
        {**SAVED, "eval_strategy": "epoch"},
        {**SAVED, "eval_strategy": "steps", "eval_steps": 2, "eval_delay": 5},
        {"load_best_model_at_end": True, "save_strategy": "steps"},  # refused: another check's
        {"load_best_model_at_end": True, "eval_strategy": "epoch", "save_strategy": "epoch"},
    ],
)
def test_there_is_a_best_one_or_none_is_wanted(stated: dict[str, object]) -> None:
    assert findings(check, settings(**stated), schedule(max_steps=10, **stated)) == []

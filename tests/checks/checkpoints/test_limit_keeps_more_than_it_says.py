from pathlib import Path

import pytest
from facts import findings, schedule, settings, the_finding
from tiny_trainer import train

from pipedoctor.finding import Severity
from pipedoctor_checks.checkpoints.limit_keeps_more_than_it_says import (
    limit_keeps_more_than_it_says as check,
)

BEST = {
    "save_total_limit": 1,
    "load_best_model_at_end": True,
    "eval_strategy": "steps",
    "eval_steps": 2,
    "save_steps": 2,
}
METRIC = {
    "save_total_limit": 1,
    "metric_for_best_model": "score",
    "eval_strategy": "steps",
    "eval_steps": 2,
    "save_steps": 2,
}


def test_two_stay_though_the_limit_is_one() -> None:
    found = the_finding(check, settings(**BEST), schedule(**BEST))

    assert found.severity is None
    assert check.severity is Severity.NOTE
    assert found.evidence["kept"] == 2
    assert '"save_total_limit": 2' in found.remedy


def test_the_last_checkpoint_goes_though_nobody_asked_for_the_best() -> None:
    found = the_finding(check, settings(**METRIC), schedule(**METRIC))

    assert found.severity is Severity.WARNING
    assert "load_best_model_at_end is not set" in found.message


@pytest.mark.parametrize("stated", [BEST, METRIC], ids=["loaded", "only named"])
def test_trainer_does_so_indeed(tmp_path: Path, stated: dict[str, object]) -> None:
    run = train(
        tmp_path,
        lambda n: -float(n),  # the first evaluation is the best
        **{**stated, "metric_for_best_model": "score"},
    )

    assert max(map(len, run.saves)) == 2
    assert run.saves[-1] == [2, 10]
    assert run.left == [2]


@pytest.mark.parametrize(
    "change",
    [
        {"save_total_limit": 2},
        {"save_total_limit": None},
        {"save_total_limit": 0},
        {"load_best_model_at_end": False},
        {"save_strategy": "best"},
        {"save_strategy": "no"},
        {"eval_strategy": "no"},
    ],
)
def test_limits_that_do_as_they_say(change: dict[str, object]) -> None:
    assert findings(check, settings(**{**BEST, **change}), None) == []


def test_a_run_with_one_checkpoint_has_none_to_delete() -> None:
    stated = {**BEST, "eval_strategy": "epoch", "save_strategy": "epoch", "num_train_epochs": 1}

    assert findings(check, settings(**stated), schedule(**stated)) == []

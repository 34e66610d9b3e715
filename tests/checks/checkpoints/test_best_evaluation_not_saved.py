from pathlib import Path

import pytest
from facts import findings, schedule, settings, the_finding
from hypothesis import given
from hypothesis import strategies as st
from tiny_trainer import train

from pipedoctor.facts import Marks
from pipedoctor_checks.checkpoints.best_evaluation_not_saved import (
    best_evaluation_not_saved as check,
)

BETWEEN = {
    "load_best_model_at_end": True,
    "metric_for_best_model": "score",
    "eval_strategy": "steps",
    "eval_steps": 2,
    "save_steps": 4,
}


def judge(version: str = "5.23.0", /, **stated: object) -> list[object]:
    made = {"max_steps": 10, **stated}
    return findings(check, schedule(version, **made), settings(version, **made))


def test_evaluations_between_the_checkpoints() -> None:
    (found,) = judge(**BETWEEN)

    assert found.evidence == {"evaluations": 5, "saved": 3, "eval_every": 2, "save_every": 4}
    assert '"save_steps": 2 and "save_total_limit": 2' in found.remedy


@pytest.mark.parametrize(
    ("best", "kept"),
    [(0, None), (1, "checkpoint-4"), (2, "checkpoint-4"), (3, "checkpoint-8")],
)
def test_trainer_loses_the_best_indeed(tmp_path: Path, best: int, kept: str | None) -> None:
    """The third evaluation, at step 6, is the best: what was best before is loaded instead."""

    def score(number: int) -> float:
        return 100.0 if number == best else (-1.0 if best == 0 else float(number))

    assert train(tmp_path, score, **BETWEEN).best == kept


def test_shares_that_miss_each_other() -> None:
    shares = {**BETWEEN, "eval_steps": 0.1, "save_steps": 0.3}

    assert judge(**shares, max_steps=1000)[0].evidence["saved"] == 4  # 300, 600, 900 and the last
    (found,) = judge(**shares, max_steps=101)
    assert (found.evidence["eval_every"], found.evidence["save_every"]) == (11, 31)
    assert found.evidence["saved"] == 1


@pytest.mark.parametrize(
    "change",
    [
        {"save_steps": 2},
        {"load_best_model_at_end": False},
        {"save_strategy": "best"},
        {"eval_strategy": "epoch", "save_strategy": "epoch"},
        {"max_steps": 2},
        {"eval_steps": 0.2, "save_steps": 0.2},
    ],
)
def test_each_evaluation_has_its_checkpoint(change: dict[str, object]) -> None:
    assert judge(**{**BETWEEN, **change}) == []


def test_releases_that_compared_only_what_they_saved() -> None:
    assert judge("4.46.3", **BETWEEN) == []


def test_a_limit_that_is_stated_stays() -> None:
    (found,) = judge(**BETWEEN, save_total_limit=5)

    assert found.remedy == 'set "save_steps": 2'


@given(
    st.builds(
        Marks,
        every=st.integers(0, 12),
        total=st.integers(0, 60),
        last=st.booleans(),
        start=st.integers(0, 70),
        also_first=st.booleans(),
    )
)
def test_a_step_is_among_the_marks_that_are_listed(marks: Marks) -> None:
    assert [step for step in range(-1, 75) if step in marks] == list(marks)


def test_a_million_evaluations_are_counted() -> None:
    stated = {**BETWEEN, "eval_steps": 1, "save_steps": 2, "max_steps": 1_000_000}

    assert the_finding(check, schedule(**stated), settings(**stated)).evidence["saved"] == 500_000

import re

import pytest
from facts import arguments, findings, settings, the_finding
from hypothesis import given
from hypothesis import strategies as st
from tiny_trainer import refusal

from pipedoctor.facts import Settings
from pipedoctor_checks.checkpoints.saves_not_a_multiple_of_evaluations import (
    saves_not_a_multiple_of_evaluations as check,
)

STEPS = {"load_best_model_at_end": True, "eval_strategy": "steps"}
ARGUMENTS = arguments()
INTERVALS = st.one_of(
    st.integers(1, 2000),
    st.sampled_from([0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.5, 0.6, 0.7, 0.9]),
    st.floats(0.001, 0.999).map(lambda share: round(share, 3)),
)


def judge(**stated: object) -> list[object]:
    return findings(check, Settings(stated, ARGUMENTS))


@given(evaluate=INTERVALS, save=INTERVALS)
def test_it_agrees_with_training_arguments(evaluate: float, save: float) -> None:
    stated = {**STEPS, "eval_steps": evaluate, "save_steps": save}
    text = refusal(**stated)

    assert len(judge(**stated)) == (text is not None)
    assert text is None or any(re.search(pattern, text) for pattern in check.symptoms)


def test_the_default_of_save_steps() -> None:
    found = the_finding(check, settings(**STEPS, eval_steps=200))

    assert "500, the default" in found.message
    assert found.remedy == 'set "save_steps": 200'
    assert found.alternatives == ('set "eval_steps": 500',)
    assert found.where.key == "eval_steps"


@pytest.mark.parametrize("steps", [None, 0])
def test_logging_steps_stand_in_for_eval_steps(steps: int | None) -> None:
    found = the_finding(check, settings(**STEPS, eval_steps=steps, logging_steps=70))

    assert "logging_steps is 70" in found.message


def test_a_share_and_a_number_of_steps() -> None:
    found = the_finding(check, settings(**STEPS, eval_steps=0.1))

    assert "share" in found.message
    assert found.remedy == 'set "save_steps": 0.1'


def test_rounding_that_an_older_release_does_not_forgive() -> None:
    shares = {"eval_steps": 0.1, "save_steps": 0.3}

    assert findings(check, settings("5.23.0", **STEPS, **shares)) == []
    assert "rounding" in the_finding(check, settings("4.46.3", **STEPS, **shares)).message


@pytest.mark.parametrize(
    "stated",
    [
        {"eval_steps": 200},
        {**STEPS, "load_best_model_at_end": False, "eval_steps": 200},
        {**STEPS, "eval_strategy": "epoch", "save_strategy": "epoch", "eval_steps": 200},
        {**STEPS, "save_strategy": "best", "eval_steps": 200},
        {**STEPS, "eval_steps": 200, "save_steps": -5},
    ],
)
def test_where_nobody_compares_them(stated: dict[str, object]) -> None:
    assert findings(check, settings(**stated)) == []

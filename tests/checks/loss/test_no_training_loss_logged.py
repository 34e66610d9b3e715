import pytest
from facts import findings, schedule, settings

from pipedoctor_checks.loss.no_training_loss_logged import no_training_loss_logged as check


def judge(version: str = "5.23.0", /, **stated: object) -> list[object]:
    made = {"max_steps": 300, **stated}
    return findings(check, schedule(version, **made), settings(version, **made))


def test_the_default_is_longer_than_a_short_run() -> None:
    (found,) = judge()

    assert "every 500 steps and the run has 300" in found.message
    assert found.remedy == 'set "logging_steps": 15'
    assert found.where.origin == "default of transformers 5.23.0"


@pytest.mark.parametrize(
    "stated",
    [
        {"logging_steps": 300},
        {"logging_steps": 10},
        {"logging_steps": 0.1},
        {"logging_steps": 0.9},
        {"logging_strategy": "epoch"},
        {"logging_strategy": "no"},
        {"logging_first_step": True},
        {"max_steps": 500},
    ],
)
def test_a_loss_is_seen_or_was_not_wanted(stated: dict[str, object]) -> None:
    assert judge(**stated) == []


def test_a_run_of_a_few_steps_logs_each() -> None:
    (found,) = judge(max_steps=3)

    assert found.remedy == 'set "logging_steps": 1'


def test_no_fix_changes_when_the_run_evaluates() -> None:
    (logged,) = judge()
    (evaluated,) = judge(eval_strategy="steps")
    (both,) = judge(eval_strategy="steps", eval_steps=100)

    assert logged.fix is not None
    assert evaluated.fix is None, "without eval_steps, logging_steps says when to evaluate"
    assert both.fix is not None

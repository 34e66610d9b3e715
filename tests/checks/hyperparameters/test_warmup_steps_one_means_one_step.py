import pytest
from facts import findings, schedule, settings, the_finding

from pipedoctor_checks.hyperparameters.warmup_steps_one_means_one_step import (
    warmup_steps_one_means_one_step as check,
)


@pytest.mark.parametrize("value", [1.0, 1.5, 1.99])
def test_a_share_that_is_a_step(value: float) -> None:
    found = the_finding(
        check, settings(warmup_steps=value), schedule(warmup_steps=value, max_steps=1000)
    )

    assert "1 step of 1,000" in found.message
    assert found.evidence == {"warmup_steps": value, "steps": 1}


def test_trainer_takes_one_step_indeed() -> None:
    transformers = pytest.importorskip("transformers")
    made = transformers.TrainingArguments(warmup_steps=1.5, report_to="none", use_cpu=True)

    assert made.get_warmup_steps(1000) == 1


@pytest.mark.parametrize("value", [0, 1, 2, 500, 0.0, 0.1, 0.99, 2.0, 500.0, "1.0", True])
def test_what_is_meant_as_it_stands(value: object) -> None:
    assert findings(check, settings(warmup_steps=value), None) == []


def test_before_transformers_5_it_never_was_a_share() -> None:
    assert findings(check, settings("4.57.6", warmup_steps=1.0), None) == []


def test_the_steps_of_the_run_need_not_be_known() -> None:
    assert "1 step:" in the_finding(check, settings(warmup_steps=1.0), None).message

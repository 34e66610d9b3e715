import pytest
from facts import findings, schedule, settings, the_finding

from pipedoctor.fact import Unavailable
from pipedoctor_checks.hyperparameters.first_checkpoint_comes_late import (
    first_checkpoint_comes_late as check,
)

QNLI = 104_743


def judge(rows: int = QNLI, /, *, steps: int = 2000, **stated: object) -> list[object]:
    return findings(check, schedule(rows=rows, **stated), settings(**stated), steps=steps)


def test_an_epoch_of_qnli_is_long() -> None:
    (found,) = judge(save_strategy="epoch", eval_strategy="epoch")

    assert found.message == (
        "The first checkpoint comes at step 13,093 of 39,279, the first evaluation at 13,093, "
        "the first log line at 500"
    )
    assert found.evidence["first_checkpoint"] == 13_093
    assert '"save_strategy": "steps", "save_steps": 1000' in found.remedy
    assert found.where.key == "save_strategy"


def test_the_best_model_needs_both_of_a_kind() -> None:
    (found,) = judge(save_strategy="epoch", eval_strategy="epoch", load_best_model_at_end=True)

    assert '"eval_strategy": "steps", "eval_steps": 1000' in found.remedy


def test_without_evaluation_none_is_spoken_of() -> None:
    (found,) = judge(save_steps=5000)

    assert "evaluation" not in found.message
    assert found.evidence["first_evaluation"] is None
    assert found.where.key == "save_steps"


@pytest.mark.parametrize(
    "stated",
    [
        {},
        {"save_strategy": "no"},
        {"save_steps": 2000},
        {"save_strategy": "epoch", "per_device_train_batch_size": 64},
        {"save_steps": 5000, "max_steps": 1500},
    ],
)
def test_soon_enough_or_not_wanted(stated: dict[str, object]) -> None:
    assert judge(**stated) == []


def test_the_option_says_what_is_long() -> None:
    assert len(judge(steps=499)) == 1
    assert judge(steps=500) == []


def test_when_the_best_comes_nobody_knows() -> None:
    stated = {"save_strategy": "best", "eval_strategy": "epoch", "metric_for_best_model": "loss"}

    with pytest.raises(Unavailable):
        judge(**stated)


def test_the_remedy_is_not_found_again() -> None:
    assert the_finding(check, schedule(rows=QNLI, save_steps=9000), settings(save_steps=9000))
    assert judge(save_strategy="steps", save_steps=1000) == []

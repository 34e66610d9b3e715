import pytest
from facts import findings, schedule, settings, the_finding

from pipedoctor_checks.hyperparameters.warmup_outlasts_training import (
    warmup_outlasts_training as check,
)


def judge(version: str = "5.23.0", /, *, share: float = 1.0, **stated: object) -> list[object]:
    return findings(check, schedule(version, **stated), settings(version, **stated), share=share)


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ({"warmup_steps": 1000, "max_steps": 500}, "ends at 50%"),
        ({"warmup_steps": 500, "max_steps": 500}, "reaches its value when training ends"),
        ({"warmup_steps": 2000, "num_train_epochs": 1}, "2,000 of 400 steps"),
    ],
)
def test_the_rate_never_gets_there(stated: dict[str, object], words: str) -> None:
    (found,) = judge(**stated)

    assert words in found.message
    assert found.where.key == "warmup_steps"


@pytest.mark.parametrize(
    ("version", "stated"),
    [
        ("5.23.0", {"warmup_steps": 499, "max_steps": 500}),
        ("5.23.0", {"warmup_steps": 0.1, "max_steps": 500}),
        ("5.23.0", {"max_steps": 500}),
        ("5.23.0", {"warmup_steps": 1.0, "max_steps": 500}),  # one step, another fault
        ("4.57.6", {"warmup_ratio": 0.06, "max_steps": 500}),
        ("5.23.0", {"warmup_steps": 1000, "max_steps": 500, "lr_scheduler_type": "constant"}),
    ],
)
def test_warm_up_that_ends_in_time(version: str, stated: dict[str, object]) -> None:
    assert judge(version, **stated) == []


def test_constant_with_warm_up_does_warm_up() -> None:
    stated = {"warmup_steps": 1000, "max_steps": 500, "lr_scheduler_type": "constant_with_warmup"}

    assert len(judge(**stated)) == 1


def test_a_whole_ratio_of_an_older_release() -> None:
    (found,) = judge("4.57.6", warmup_ratio=1.0, max_steps=500)

    assert found.where.key == "warmup_ratio"


def test_a_run_of_a_few_steps_is_told_none() -> None:
    found = the_finding(
        check, schedule(max_steps=4, warmup_steps=100), settings(max_steps=4, warmup_steps=100)
    )

    assert '"warmup_steps": 0' in found.remedy


def test_the_option_says_how_much_of_the_run() -> None:
    stated = {"warmup_steps": 300, "max_steps": 500}

    assert judge(**stated) == []
    (found,) = judge(share=0.5, **stated)
    assert found.message == "Warm-up takes 300 of 500 steps"

import re
from itertools import product

import pytest
from facts import findings, settings, the_finding
from tiny_trainer import refusal

from pipedoctor.fact import Unavailable
from pipedoctor_checks.checkpoints.best_model_strategies_differ import (
    best_model_strategies_differ as check,
)


@pytest.mark.parametrize(
    ("stated", "line"),
    [
        ({"eval_strategy": "epoch"}, '"save_strategy": "epoch"'),
        ({"save_strategy": "epoch"}, '"eval_strategy": "epoch"'),
        ({}, '"eval_strategy": "steps"'),
        ({"eval_strategy": "epoch", "save_strategy": "steps"}, '"save_strategy": "epoch"'),
        ({"eval_strategy": "steps", "save_strategy": "no"}, '"save_strategy": "steps"'),
        ({"eval_strategy": "no", "save_strategy": "epoch"}, '"eval_strategy": "epoch"'),
    ],
)
def test_the_one_that_nobody_chose_gives_way(stated: dict[str, object], line: str) -> None:
    found = the_finding(check, settings(load_best_model_at_end=True, **stated))

    assert found.remedy == f"set {line}"


def test_both_were_chosen_and_either_may_give_way() -> None:
    stated = {"eval_strategy": "steps", "eval_steps": 100, "save_strategy": "epoch"}
    found = the_finding(check, settings(load_best_model_at_end=True, **stated))

    assert found.remedy == 'set "save_strategy": "steps", "save_steps": 100'
    assert found.alternatives[0] == 'set "eval_strategy": "epoch"'


def test_evaluations_come_when_checkpoints_do() -> None:
    made = settings(load_best_model_at_end=True, save_steps=200)

    assert the_finding(check, made).remedy == 'set "eval_strategy": "steps", "eval_steps": 200'


def test_a_remedy_uses_the_name_that_the_version_knows() -> None:
    stated = {"evaluation_strategy": "no", "save_strategy": "epoch"}
    found = the_finding(check, settings(load_best_model_at_end=True, **stated))

    assert "evaluation_strategy is" in found.message
    assert found.remedy == 'set "eval_strategy": "epoch"'


def test_the_older_name_of_the_key_is_kept() -> None:
    made = settings("4.40.2", load_best_model_at_end=True, save_strategy="epoch")

    assert the_finding(check, made).remedy == 'set "evaluation_strategy": "epoch"'


def test_a_renamed_key_is_judged_by_what_it_means() -> None:
    made = {"load_best_model_at_end": True, "save_strategy": "epoch"}

    assert findings(check, settings(**made, evaluation_strategy="epoch")) == []
    assert len(findings(check, settings(**made, evaluation_strategy="steps"))) == 1


def test_a_bare_no_in_yaml_is_no_strategy() -> None:
    with pytest.raises(Unavailable, match="False"):
        findings(check, settings(load_best_model_at_end=True, eval_strategy=False))


@pytest.mark.parametrize("load", [True, False])
@pytest.mark.parametrize(
    ("evaluated", "saved"),
    list(product(["no", "steps", "epoch"], ["no", "steps", "epoch", "best"])),
)
def test_it_agrees_with_training_arguments(load: bool, evaluated: str, saved: str) -> None:
    stated = {
        "load_best_model_at_end": load,
        "eval_strategy": evaluated,
        "save_strategy": saved,
        "eval_steps": 500,
    }
    text = refusal(**stated)

    assert len(findings(check, settings(**stated))) == (text is not None)
    assert text is None or any(re.search(pattern, text) for pattern in check.symptoms)

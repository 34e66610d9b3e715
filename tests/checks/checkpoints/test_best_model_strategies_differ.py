import re
from itertools import product
from pathlib import Path

import pytest
from facts import findings, settings, the_finding

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
@pytest.mark.parametrize(("evaluated", "saved"), list(product(
    ["no", "steps", "epoch"], ["no", "steps", "epoch", "best"]
)))
def test_it_agrees_with_training_arguments(
    tmp_path: Path, load: bool, evaluated: str, saved: str
) -> None:
    transformers = pytest.importorskip("transformers")
    stated = {
        "load_best_model_at_end": load,
        "eval_strategy": evaluated,
        "save_strategy": saved,
        "eval_steps": 500,
    }
    found = findings(check, settings(**stated))
    try:
        transformers.TrainingArguments(output_dir=str(tmp_path), use_cpu=True, **stated)
    except ValueError as error:
        assert len(found) == 1
        assert any(re.search(pattern, str(error)) for pattern in check.symptoms)
    else:
        assert found == []

import re
from pathlib import Path

import pytest
from facts import findings, schedule, settings, the_finding
from tiny_trainer import train

from pipedoctor.fact import Unavailable
from pipedoctor.facts import Evaluation
from pipedoctor_checks.evaluation.best_metric_never_computed import (
    best_metric_never_computed as check,
)

BEST = {"eval_strategy": "steps", "eval_steps": 2, "save_steps": 2, "load_best_model_at_end": True}


def gives(*names: str, has_labels: bool = True) -> Evaluation:
    return Evaluation(has_data=True, has_labels=has_labels, metrics=names)


@pytest.mark.parametrize(
    ("metric", "names", "line"),
    [
        ("f1", ["eval_accuracy"], "accuracy"),
        ("eval_f1", ["eval_accuracy", "eval_f1_macro"], "f1_macro"),
        ("acc", ["eval_accuracy", "eval_recall"], "accuracy"),
        ("Accuracy", ["eval_accuracy"], "accuracy"),
        ("f1", [], "loss"),
    ],
)
def test_a_metric_that_nothing_gives(metric: str, names: list[str], line: str) -> None:
    found = the_finding(
        check,
        settings(**BEST, metric_for_best_model=metric),
        gives(*names),
        schedule(max_steps=10, **BEST),
    )

    assert found.remedy == f'set "metric_for_best_model": "{line}"'
    assert f'metric_for_best_model is "{metric}"' in found.message
    assert found.alternatives[0].startswith('return "')
    assert "at step 2 of 10" in found.message
    assert found.where.key == "metric_for_best_model"


def test_trainer_stops_indeed(tmp_path: Path) -> None:
    with pytest.raises(KeyError) as caught:
        train(tmp_path, **BEST, metric_for_best_model="f1")

    assert any(re.search(pattern, str(caught.value)) for pattern in check.symptoms)


@pytest.mark.parametrize("evaluated", ["no", "steps"])
def test_the_best_by_no_metric(tmp_path: Path, evaluated: str) -> None:
    stated = {"save_strategy": "best", "eval_strategy": evaluated, "eval_steps": 2}
    found = the_finding(check, settings(**stated), None, None)

    assert found.remedy == 'set "metric_for_best_model": "loss"'
    with pytest.raises(ValueError, match="metric_for_best_model") as caught:
        train(tmp_path, **stated)
    assert any(re.search(pattern, str(caught.value)) for pattern in check.symptoms)


@pytest.mark.parametrize(
    "stated",
    [
        {"metric_for_best_model": "accuracy"},
        {"metric_for_best_model": "eval_accuracy"},
        {"metric_for_best_model": "loss"},
        {"metric_for_best_model": "eval_loss"},
        {"metric_for_best_model": "samples_per_second"},
        {},
        {"metric_for_best_model": "f1", "eval_strategy": "no", "load_best_model_at_end": False},
        {"load_best_model_at_end": False},
        {"lr_scheduler_type": "reduce_lr_on_plateau"},
    ],
)
def test_metrics_that_are_given_or_not_asked_for(stated: dict[str, object]) -> None:
    assert findings(check, settings(**{**BEST, **stated}), gives("eval_accuracy"), None) == []


def test_a_plateau_asks_for_the_metric_too() -> None:
    stated = {
        "eval_strategy": "epoch",
        "lr_scheduler_type": "reduce_lr_on_plateau",
        "metric_for_best_model": "f1",
    }

    assert len(findings(check, settings(**stated), gives("eval_accuracy"), None)) == 1


def test_without_labels_it_leaves_the_word_to_another_check() -> None:
    made = settings(**BEST, metric_for_best_model="f1")

    assert findings(check, made, gives("eval_accuracy", has_labels=False), None) == []


def test_names_that_nobody_knows_are_not_judged() -> None:
    with pytest.raises(Unavailable):
        findings(check, settings(**BEST, metric_for_best_model="f1"), Evaluation(), None)


@pytest.mark.parametrize(
    ("metric", "line"),
    [("loss", "a_loss"), ("accuracy", "a_accuracy"), ("eval_accuracy", "a_accuracy")],
)
def test_several_sets_have_a_name_each(metric: str, line: str) -> None:
    names = ("eval_a_accuracy", "eval_b_accuracy")
    sets = Evaluation(has_data=True, metrics=names, sets=("a", "b"))
    made = settings(**BEST, metric_for_best_model=metric)
    found = the_finding(check, made, sets, None)

    assert found.evidence["given"] == [
        "eval_a_accuracy",
        "eval_a_loss",
        "eval_b_accuracy",
        "eval_b_loss",
    ]
    assert found.remedy.endswith((f'"{line}"', f'"{line.replace("a_", "b_", 1)}"'))
    assert found.alternatives == ()


@pytest.mark.parametrize("metric", ["a_loss", "eval_b_loss", "b_accuracy"])
def test_the_name_of_a_set_is_part_of_the_metric(metric: str) -> None:
    sets = Evaluation(has_data=True, metrics=("eval_b_accuracy",), sets=("a", "b"))

    assert findings(check, settings(**BEST, metric_for_best_model=metric), sets, None) == []

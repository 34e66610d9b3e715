from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from facts import findings, schedule, settings, the_finding

from pipedoctor.fact import Unavailable
from pipedoctor.facts import Callbacks
from pipedoctor.facts.callbacks import EarlyStopping
from pipedoctor.finding import Severity
from pipedoctor_checks.loss.early_stopping_never_works import (
    early_stopping_never_works as check,
)

BY_STEPS = {
    "eval_strategy": "steps",
    "eval_steps": 10,
    "max_steps": 50,
    "metric_for_best_model": "loss",
}


def stopping(patience: int) -> Callbacks:
    return Callbacks(("EarlyStoppingCallback",), EarlyStopping(patience))


@pytest.mark.parametrize(
    ("stated", "lacks", "line"),
    [
        ({"metric_for_best_model": None}, "metric_for_best_model is not set", "loss"),
        ({"eval_strategy": "no"}, 'eval_strategy is "no"', "epoch"),
    ],
)
def test_what_the_callback_refuses(stated: dict[str, Any], lacks: str, line: str) -> None:
    found = the_finding(check, stopping(1), settings(**{**BY_STEPS, **stated}), None)

    assert found.message == (
        f"The run has an EarlyStoppingCallback, but {lacks}: it raises AssertionError before the first step"
    )
    assert found.remedy.endswith(f': "{line}"')
    assert found.severity is None


@pytest.mark.parametrize(
    "stated", [{}, {"metric_for_best_model": "loss"}, {"eval_strategy": "steps"}]
)
def test_it_refuses_indeed(tmp_path: Path, stated: dict[str, Any]) -> None:
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    trainer = transformers.Trainer(
        torch.nn.Linear(2, 2),
        transformers.TrainingArguments(
            str(tmp_path), use_cpu=True, report_to="none", disable_tqdm=True, **stated
        ),
        train_dataset=[{"x": 1}],
        eval_dataset=[{"x": 1}],
        callbacks=[transformers.EarlyStoppingCallback(1)],
    )

    with pytest.raises(AssertionError) as caught:
        trainer.train()

    assert any(re.search(pattern, str(caught.value)) for pattern in check.symptoms)
    assert len(findings(check, stopping(1), settings(**stated), None)) == 1


@pytest.mark.parametrize(("patience", "count"), [(1, 0), (3, 0), (4, 1), (5, 1), (50, 1)])
def test_five_evaluations(patience: int, count: int) -> None:
    found = findings(check, stopping(patience), settings(**BY_STEPS), schedule(**BY_STEPS))

    assert len(found) == count
    assert all(finding.severity is Severity.NOTE for finding in found)


@pytest.mark.parametrize(("steps", "line"), [(50, '"eval_steps": 4'), (10, "at most 1")])
def test_the_remedy_evaluates_more_often_if_that_can_be(steps: int, line: str) -> None:
    stated = {**BY_STEPS, "max_steps": steps}
    found = the_finding(check, stopping(4), settings(**stated), schedule(**stated))

    assert line in found.remedy


def test_without_the_callback_there_is_nothing_to_say() -> None:
    assert findings(check, Callbacks(("PrinterCallback",)), settings(), None) == []


def test_the_best_model_names_the_loss_by_itself() -> None:
    stated = {"eval_strategy": "epoch", "load_best_model_at_end": True}

    assert findings(check, stopping(1), settings(**stated), schedule(**stated)) == []


@pytest.mark.parametrize("version", ["4.46.3", "4.40.2"])
def test_older_releases_compare_only_what_they_save(version: str) -> None:
    with pytest.raises(Unavailable, match="only evaluations that are saved"):
        findings(check, stopping(9), settings(version, **BY_STEPS), schedule(**BY_STEPS))


def test_without_a_schedule_patience_is_not_judged() -> None:
    with pytest.raises(Unavailable):
        findings(check, stopping(9), settings(**BY_STEPS), None)

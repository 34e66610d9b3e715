from __future__ import annotations

import inspect
from typing import Any

import pytest
from facts import findings, settings, the_finding
from tiny_trainer import train

from pipedoctor.fact import Unavailable
from pipedoctor_checks.hyperparameters.scheduler_arguments_refused import (
    NEEDS,
    TAKEN,
    scheduler_arguments_refused,
)

REFUSED: list[dict[str, Any]] = [
    {"lr_scheduler_kwargs": {"num_cycles": 2}, "lr_scheduler_type": "linear"},
    {"lr_scheduler_kwargs": {"min_lr": 1e-6}, "lr_scheduler_type": "cosine"},
    {"lr_scheduler_type": "cosine_with_min_lr"},
    {"lr_scheduler_type": "cosine_warmup_with_min_lr", "lr_scheduler_kwargs": {"num_cycles": 1}},
    {"lr_scheduler_type": "warmup_stable_decay"},
    {"lr_scheduler_kwargs": {"num_cycles": 2}},
]
TAKES: list[dict[str, Any]] = [
    {"lr_scheduler_type": "cosine", "lr_scheduler_kwargs": {"num_cycles": 0.4}},
    {"lr_scheduler_type": "cosine_with_min_lr", "lr_scheduler_kwargs": {"min_lr_rate": 0.1}},
    {"lr_scheduler_type": "warmup_stable_decay", "lr_scheduler_kwargs": {"num_decay_steps": 3}},
    {"lr_scheduler_type": "polynomial", "lr_scheduler_kwargs": {"power": 2.0, "lr_end": 1e-8}},
    {"lr_scheduler_type": "cosine", "lr_scheduler_kwargs": None},
    {"lr_scheduler_type": "linear", "lr_scheduler_kwargs": {}},
]


@pytest.mark.parametrize("stated", REFUSED, ids=str)
def test_refused(stated: dict[str, Any]) -> None:
    finding = the_finding(scheduler_arguments_refused, settings(**stated))
    assert finding.remedy.startswith(("set ", "delete "))


@pytest.mark.parametrize("stated", REFUSED, ids=str)
def test_the_real_one_refuses_it_when_training_starts(
    tmp_path: Any, stated: dict[str, Any]
) -> None:
    with pytest.raises((TypeError, ValueError)):
        train(tmp_path, max_steps=2, save_strategy="no", **stated)


@pytest.mark.parametrize("stated", TAKES, ids=str)
def test_taken(tmp_path: Any, stated: dict[str, Any]) -> None:
    assert findings(scheduler_arguments_refused, settings(**stated)) == []
    train(tmp_path, max_steps=2, save_strategy="no", **stated)


def test_text_and_other_schedulers_are_not_judged() -> None:
    for stated in (
        {"lr_scheduler_type": "cosine", "lr_scheduler_kwargs": '{"nonsense": 1}'},
        {"lr_scheduler_type": "reduce_lr_on_plateau", "lr_scheduler_kwargs": {"patience": 2}},
        {"lr_scheduler_type": "constant", "lr_scheduler_kwargs": {"nonsense": 2}},
    ):
        assert findings(scheduler_arguments_refused, settings(**stated)) == []


def test_of_older_releases_nothing_is_claimed() -> None:
    with pytest.raises(Unavailable, match=r"from transformers 5\.23\.0 on"):
        findings(scheduler_arguments_refused, settings("4.57.6", **REFUSED[0]))


def test_the_table_is_what_the_functions_take() -> None:
    pytest.importorskip("torch")
    optimization = pytest.importorskip("transformers.optimization")
    given = {"optimizer", "num_warmup_steps", "num_training_steps", "last_epoch"}
    for kind, function in optimization.TYPE_TO_SCHEDULER_FUNCTION.items():
        if kind.value in TAKEN:
            takes = inspect.signature(function).parameters
            assert set(TAKEN[kind.value]) == set(takes) - given, kind
            required = {n for n, p in takes.items() if p.default is p.empty} - given
            assert required <= set(NEEDS.get(kind.value, ()))
    untold = {kind.value for kind in optimization.TYPE_TO_SCHEDULER_FUNCTION} - set(TAKEN)
    # They are given nothing, or hand everything on to torch.
    assert untold == {"constant", "constant_with_warmup", "reduce_lr_on_plateau", "greedy"}

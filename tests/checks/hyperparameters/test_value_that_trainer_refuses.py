from __future__ import annotations

from typing import Any

import pytest
from facts import outcome, settings

from pipedoctor.report import Status
from pipedoctor_checks.hyperparameters.value_that_trainer_refuses import value_that_trainer_refuses

REFUSED = [
    {"per_device_train_batch_size": 0},
    {"per_device_train_batch_size": -4},
    {"per_device_train_batch_size": 16.0},
    {"gradient_accumulation_steps": 0},
    {"learning_rate": -1e-5},
    {"learning_rate": float("nan")},
    {"learning_rate": None},
    {"learning_rate": 0},
    {"logging_steps": 0},
    {"num_train_epochs": 0},
    {"num_train_epochs": -3},
    {"eval_strategy": "epochs"},
    {"save_strategy": "Steps"},
    {"optim": "adam"},
    {"fp16": True, "bf16": True},
]


@pytest.mark.parametrize("stated", REFUSED, ids=str)
def test_refused(stated: dict[str, Any]) -> None:
    (finding,) = value_that_trainer_refuses(settings(**stated))
    assert finding.message.startswith(next(iter(stated)))
    assert finding.remedy.startswith("set ")


@pytest.mark.parametrize(
    "stated",
    [
        {},
        {"per_device_train_batch_size": 1, "gradient_accumulation_steps": 1},
        {"learning_rate": 1e-9, "weight_decay": 0, "warmup_steps": 0.1},
        {"num_train_epochs": -1, "max_steps": 100},
        {"num_train_epochs": 0.5},
        {"logging_steps": 0, "logging_strategy": "epoch"},
        {"save_strategy": "best", "eval_strategy": "steps", "logging_strategy": "no"},
        {"eval_strategy": False},
        {"optim": "adamw_torch_fused"},
        {"learning_rate": "5e-5"},
        {"my_batch_size": 0},
    ],
    ids=str,
)
def test_accepted_or_anothers_business(stated: dict[str, Any]) -> None:
    assert list(value_that_trainer_refuses(settings(**stated))) == []


@pytest.mark.parametrize(
    "stated", [s for s in REFUSED if not set(s) & {"learning_rate", "num_train_epochs"}], ids=str
)
def test_the_real_one_refuses_them_too(stated: dict[str, Any], tmp_path: Any) -> None:
    pytest.importorskip("torch")
    from datasets import Dataset
    from transformers import Trainer, TrainingArguments

    torch = pytest.importorskip("torch")

    class Line(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.line = torch.nn.Linear(1, 1)

        def forward(self, x, labels=None):
            out = self.line(x[:, None].float())[:, 0]
            return {"loss": ((out - labels.float()) ** 2).mean(), "logits": out}

    rows = Dataset.from_dict({"x": [1, 2, 3], "labels": [1, 2, 3]})
    with pytest.raises((ValueError, ZeroDivisionError, TypeError)):
        Trainer(
            Line(),
            TrainingArguments(
                str(tmp_path), use_cpu=True, report_to="none", max_steps=1, **stated
            ),
            train_dataset=rows,
            eval_dataset=rows,
        ).train()


@pytest.mark.parametrize("name", ["per_device_train_batch_size", "learning_rate", "max_steps"])
@pytest.mark.parametrize("value", [10**400, -(10**400)])
def test_a_number_too_large_for_a_float(name: str, value: int) -> None:
    versions = {"transformers": "5.23.0"}
    check = value_that_trainer_refuses
    told = outcome(check, settings={name: value}, environment=versions)
    assert told.status in {Status.PASSED, Status.FOUND}


def test_the_nearest_word_begins_as_the_stated_one() -> None:
    (finding,) = value_that_trainer_refuses(settings(optim="adamww"))
    assert finding.remedy == 'set "optim": "adamw_torch"'

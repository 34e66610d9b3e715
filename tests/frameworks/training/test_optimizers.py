"""The optimizer as the run will have it, built on a double."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from pipelines import pipeline

from pipedoctor.fact import Unavailable
from pipedoctor.facts import Optimizer
from pipedoctor.frameworks.capture.trainer import unpack
from pipedoctor.pipeline import ProbeFailed


def model() -> Any:
    return torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.LayerNorm(4), torch.nn.Linear(4, 2))


def trainer(folder: Path, kind: Any = transformers.Trainer, **stated: Any) -> Any:
    optimizers = stated.pop("optimizers", (None, None))
    arguments = transformers.TrainingArguments(
        output_dir=str(folder), report_to="none", use_cpu=True, max_steps=2, **stated
    )
    return kind(model=model(), args=arguments, optimizers=optimizers)


def optimizer(subject: Any) -> Optimizer:
    return pipeline(**unpack(subject)).fact(Optimizer)


def test_the_one_that_trainer_makes(tmp_path: Path) -> None:
    subject = trainer(tmp_path, learning_rate=3e-4, weight_decay=0.1)
    fact = optimizer(subject)
    assert (fact.name, fact.given, fact.held) == ("AdamW", False, 6)
    decayed, plain = fact.groups
    assert decayed.parameters == ("0.weight", "2.weight")
    assert (decayed.learning_rate, decayed.weight_decay) == (3e-4, 0.1)
    assert plain.parameters == ("0.bias", "1.weight", "1.bias", "2.bias")
    assert plain.weight_decay == 0.0
    assert dict(fact.missing) == {}
    assert fact.strangers == ()
    assert subject.optimizer is None
    assert subject.lr_scheduler is None


def test_frozen_parameters_are_not_missing(tmp_path: Path) -> None:
    subject = trainer(tmp_path)
    subject.model[0].requires_grad_(False)
    fact = optimizer(subject)
    assert dict(fact.missing) == {}
    assert fact.trainable == 18


def test_one_that_was_made_before_a_layer_was_replaced(tmp_path: Path) -> None:
    subject = trainer(tmp_path)
    subject.optimizer = torch.optim.SGD(subject.model.parameters(), lr=0.1)
    subject.model[2] = torch.nn.Linear(4, 3)
    fact = optimizer(subject)
    assert fact.given
    assert dict(fact.missing) == {"2.weight": 12, "2.bias": 3}
    assert fact.strangers == ((2, 4), (2,))


def test_one_that_the_trainer_makes_by_itself(tmp_path: Path) -> None:
    class Heading(transformers.Trainer):
        def create_optimizer(self, model: Any = None) -> Any:
            self.optimizer = torch.optim.SGD(self.model[2].parameters(), lr=0.1)
            self.model[0].requires_grad_(False)
            return self.optimizer

    subject = trainer(tmp_path, Heading)
    fact = optimizer(subject)
    assert fact.name == "SGD"
    assert set(fact.missing) == {"0.weight", "0.bias", "1.weight", "1.bias"}
    assert subject.optimizer is None
    assert all(parameter.requires_grad for parameter in subject.model.parameters())


def test_what_making_it_raises_is_the_users(tmp_path: Path) -> None:
    class Failing(transformers.Trainer):
        def create_optimizer(self, model: Any = None) -> Any:
            raise LookupError("no such layer")

    with pytest.raises(ProbeFailed, match="no such layer"):
        optimizer(trainer(tmp_path, Failing))


def test_an_optimizer_whose_package_is_missing_raises_what_the_run_would(tmp_path: Path) -> None:
    with pytest.raises(ProbeFailed, match=r"(?i)lion|pip install|requires|not installed"):
        optimizer(trainer(tmp_path, optim="grokadamw"))


@pytest.mark.parametrize("optim", ["galore_adamw", "lomo", "apollo_adamw", "adamw_bnb_8bit"])
def test_one_whose_making_reaches_further_is_not_made(tmp_path: Path, optim: str) -> None:
    stated = {"optim_target_modules": "all-linear"} if optim[0] in "ga" else {}
    with pytest.raises(Unavailable, match="has effects beyond it"):
        optimizer(trainer(tmp_path, optim=optim, **stated))


def test_a_trainer_that_makes_both_by_itself_is_not_judged(tmp_path: Path) -> None:
    class Both(transformers.Trainer):
        def create_optimizer_and_scheduler(self, num_training_steps: int) -> None:
            raise AssertionError("not called")

    with pytest.raises(Unavailable, match="create_optimizer_and_scheduler of its own"):
        optimizer(trainer(tmp_path, Both))


def test_one_that_is_given_as_a_part() -> None:
    part = model()
    given = torch.optim.Adam([{"params": part[0].parameters()}, {"params": part[2].parameters()}])
    fact = pipeline(model=part, optimizer=given).fact(Optimizer)
    assert fact.given
    assert [len(group.parameters) for group in fact.groups] == [2, 2]
    assert set(fact.missing) == {"1.weight", "1.bias"}
    with pytest.raises(Unavailable, match="has no groups"):
        pipeline(model=part, optimizer=lambda: None).fact(Optimizer)

"""Samplers and data loaders of the trainer's own: counted, never drawn from, left as they were."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import transformers
from pipelines import pipeline
from torch.utils.data import DataLoader, WeightedRandomSampler

import pipedoctor
from pipedoctor import frameworks
from pipedoctor.fact import Unavailable
from pipedoctor.facts import Batch, Columns, Labels, Rows, Schedule
from pipedoctor.frameworks.data.batches import Batches
from pipedoctor.pipeline import Pipeline, ProbeFailed

ROWS = [{"input_ids": [2, 5 + n % 7, 3], "labels": n % 2} for n in range(40)]
OTHER = [{"input_ids": [2, 9, 9, 3], "labels": 1} for _ in range(10)]


@pytest.fixture
def build(tiny: Callable[..., Any], tmp_path: Any) -> Callable[..., Any]:
    def trainer(kind: type, **stated: Any) -> Any:
        arguments = transformers.TrainingArguments(
            str(tmp_path), report_to="none", use_cpu=True, disable_tqdm=True, **stated
        )
        return kind(tiny(), arguments, train_dataset=stated.pop("data", ROWS))

    return trainer


def of(trainer: Any) -> Pipeline:
    return pipeline(**{k: v for k, v in frameworks.unpack(trainer).items() if v is not None})


class Weighted(transformers.Trainer):
    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        self.made = True
        return WeightedRandomSampler([1.0] * len(self.train_dataset), 30)


class Loading(transformers.Trainer):
    def get_train_dataloader(self) -> Any:
        return DataLoader(OTHER, batch_size=3, shuffle=True, collate_fn=collate)


class Wrapping(transformers.Trainer):
    def get_train_dataloader(self) -> Any:
        self.made = True
        return super().get_train_dataloader()


class Endless(transformers.Trainer):
    def get_train_dataloader(self) -> Any:
        return forever()


def forever() -> Iterator[Any]:
    while True:
        yield collate(ROWS[:8])


class Raising(transformers.Trainer):
    def get_train_dataloader(self) -> Any:
        raise FileNotFoundError("shards-00.tar")


def collate(rows: list[Any]) -> dict[str, Any]:
    return {name: torch.tensor([row[name] for row in rows]) for name in rows[0]}


def steps(trainer: Any) -> int:
    """Return the steps that the training really takes."""
    trainer.train()
    return int(trainer.state.global_step)


@pytest.mark.parametrize("kind", [transformers.Trainer, Weighted, Loading, Wrapping])
def test_steps_are_those_of_the_training(kind: type, build: Callable[..., Any]) -> None:
    stated = {
        "gradient_accumulation_steps": 3,
        "num_train_epochs": 2,
        "save_strategy": "no",
    }
    counted = of(build(kind, **stated)).fact(Schedule).total_steps
    assert counted == steps(build(kind, **stated))


def test_the_rows_of_a_sampler_of_ones_own(build: Callable[..., Any]) -> None:
    subject = of(build(Weighted))
    assert subject.fact(Rows).used == 30
    assert subject.fact(Labels).counts == {0: 20, 1: 20}


def test_the_batch_comes_from_the_loader(build: Callable[..., Any]) -> None:
    subject = of(build(Loading))
    assert subject.fact(Rows).used == 10
    assert subject.fact(Rows).batches == 4
    assert subject.fact(Labels).counts == {1: 10}
    assert subject.fact(Columns).filtered is False
    assert subject.fact(Batch).arrays["input_ids"].shape == (8, 4)
    assert subject.fact(Batches).made[0].rows == tuple(range(8))


def test_a_loader_that_shows_no_rows_is_not_drawn_from(build: Callable[..., Any]) -> None:
    subject = of(build(Endless, max_steps=5))
    assert subject.fact(Rows).used is None
    with pytest.raises(Unavailable, match="does not show its rows"):
        subject.fact(Batches)


def test_a_loader_without_a_length_needs_max_steps(build: Callable[..., Any]) -> None:
    codes = [entry.rule.code for entry in pipedoctor.examine(build(Endless)).entries]
    assert "DAT014" in codes
    with pytest.raises(ValueError, match="max_steps"):
        build(Endless).train()


def test_what_building_the_loader_raises_is_told(build: Callable[..., Any]) -> None:
    with pytest.raises(ProbeFailed, match=r"shards-00\.tar"):
        of(build(Raising)).fact(Rows)
    first = pipedoctor.examine(build(Raising)).entries[0]
    assert "Building the data loader raised FileNotFoundError" in first.finding.message


@pytest.mark.parametrize("kind", [Weighted, Wrapping])
def test_the_trainer_is_as_it_was(kind: type, build: Callable[..., Any]) -> None:
    trainer = build(kind)
    before = dict(vars(trainer))
    state = torch.get_rng_state()
    of(trainer).fact(Rows)
    assert vars(trainer) == before
    assert trainer.accelerator._dataloaders == []
    assert torch.equal(torch.get_rng_state(), state)
    assert pipedoctor.examine(trainer).ready


def test_columns_that_a_trainer_keeps_by_itself_are_kept(build: Callable[..., Any]) -> None:
    class Keeping(transformers.Trainer):
        def _set_signature_columns_if_needed(self) -> None:
            super()._set_signature_columns_if_needed()
            self._signature_columns += ["weight"]

    assert "weight" in of(build(Keeping)).fact(Columns).accepted
    assert "weight" not in of(build(transformers.Trainer)).fact(Columns).accepted

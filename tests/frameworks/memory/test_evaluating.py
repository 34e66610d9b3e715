"""The peak of an evaluation beside a training, against what follows from shapes."""

from __future__ import annotations

from typing import Any

import pytest
from facts import pipeline

transformers = pytest.importorskip("transformers")

from pipedoctor.facts import MemoryPlan  # noqa: E402 - transformers may be absent

WORDS, LENGTH, ROWS = 5000, 64, 512


def gpt2() -> Any:
    sizes = {"n_embd": 16, "n_layer": 1, "n_head": 2}
    config = transformers.GPT2Config(vocab_size=WORDS, **sizes, bos_token_id=0, eos_token_id=0)
    return transformers.GPT2LMHeadModel(config)


def rows(lengths: list[int]) -> list[dict[str, list[int]]]:
    return [{"input_ids": [5] * n, "attention_mask": [1] * n, "labels": [5] * n} for n in lengths]


def plan(room: int, **settings: Any) -> MemoryPlan:
    data = rows([LENGTH] * ROWS)
    given = {"per_device_train_batch_size": 4, "optim": "sgd", **settings}
    return pipeline(
        model=gpt2(), train_data=data, eval_data=data, settings=given, memory={"room": room}
    ).fact(MemoryPlan)


def test_an_evaluation_has_the_logits_of_a_batch_and_their_logarithms() -> None:
    told = plan(2 * 2**30, per_device_eval_batch_size=ROWS)
    assert told.evaluation is not None
    logits = ROWS * LENGTH * WORDS * 4
    assert (told.evaluation.rows, told.evaluation.length) == (ROWS, LENGTH)
    assert 2 * logits <= told.evaluation.logits <= 2.1 * logits
    assert told.evaluation.logits < told.evaluation.peak < 1.3 * told.evaluation.logits
    assert told.step_fits
    assert told.fits is (told.evaluation.total <= 2 * 2**30)


def test_the_largest_batch_of_an_evaluation_is_the_last_that_fits() -> None:
    room = 2**30
    told = plan(room, per_device_eval_batch_size=ROWS)
    assert told.evaluation is not None
    assert (told.step_fits, told.fits) == (True, False)
    largest = told.evaluation.largest
    assert largest
    there = plan(room, per_device_eval_batch_size=largest)
    more = plan(room, per_device_eval_batch_size=largest + 1)
    assert (there.fits, more.fits) == (True, False)


def test_a_model_that_fails_only_when_it_evaluates_has_its_step_planned() -> None:
    class Fails(transformers.GPT2LMHeadModel):  # type: ignore[misc]  # transformers is not typed
        def forward(self, input_ids: Any = None, labels: Any = None) -> Any:
            if not self.training:
                raise RuntimeError("never evaluated")
            return super().forward(input_ids, labels=labels)

    model, data = Fails(gpt2().config), rows([LENGTH] * 8)
    told = pipeline(
        model=model, train_data=data, eval_data=data, settings={}, memory={"room": 2**30}
    ).fact(MemoryPlan)
    assert told.evaluation is None
    assert any("never evaluated" in note for note in told.notes)
    assert told.fits


def test_a_single_row_tells_the_same_largest_batch_as_several_padded_ones() -> None:
    data = rows([9] * 4000 + [LENGTH] * 2)

    def largest(batch: int) -> int | None:
        settings = {"per_device_train_batch_size": batch}
        return (
            pipeline(model=gpt2(), train_data=data, settings=settings, memory={"room": 2**30})
            .fact(MemoryPlan)
            .largest
        )

    assert largest(1) == largest(8)


def test_rows_are_cut_where_the_data_is_nearly_whole() -> None:
    datasets = pytest.importorskip("datasets")
    data = datasets.Dataset.from_list(rows([9] * 400 + [512] * 2))
    told = pipeline(
        model=gpt2(),
        train_data=data,
        settings={"per_device_train_batch_size": 4},
        memory={"room": 2**30},
    ).fact(MemoryPlan)
    (cut,) = [one for one in told.remedies if one.change.startswith("rows of at most")]
    assert cut.change == "rows of at most 16 tokens"
    assert "21.5% of the tokens" in cut.cost

"""Making batches runs the user's code: the transform of the data, and the collator."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import torch
from datasets import Dataset
from pipelines import pipeline

from pipedoctor.fact import Split
from pipedoctor.facts import Preview
from pipedoctor.frameworks.data.batches import Batches, of_rows


class Drawing:
    """A transform that draws from a generator of its own, and from everybody's."""

    def __init__(self) -> None:
        self.own = random.Random(3)
        self.calls = 0

    def __call__(self, rows: dict[str, list[int]]) -> dict[str, list[Any]]:
        self.calls += 1
        self.own.random()
        random.random()
        torch.rand(1)
        return {"input_ids": [[2, 5, 3]] * len(rows["number"]), "labels": rows["number"]}

    def state(self) -> tuple[Any, ...]:
        states = random.getstate(), torch.get_rng_state().tolist()
        return (*states, self.own.getstate(), self.calls)


def test_a_transform_is_left_as_it_was(tiny: Callable[..., Any]) -> None:
    transform = Drawing()
    data = Dataset.from_dict({"number": [0, 1] * 20}).with_transform(transform)
    settings = {"remove_unused_columns": False}
    found = pipeline(model=tiny(), train_data=data, settings=settings)
    before = transform.state()
    assert found.fact(Batches, Split.TRAIN).made
    assert transform.state() == before
    assert of_rows(found, Split.TRAIN, (7, 9)).rows == (7, 9)
    assert transform.state() == before


def test_a_collator_that_changes_rows_changes_copies(tiny: Callable[..., Any]) -> None:
    rows = [{"input_ids": [2, 5, 3], "labels": 0} for _ in range(200)]

    def collator(features: list[dict[str, Any]]) -> dict[str, Any]:
        for row in features:
            row["labels"] += 1
        return {name: torch.tensor([row[name] for row in features]) for name in features[0]}

    parts = {"model": tiny(), "train_data": rows, "collator": collator}
    found = pipeline(**parts, run={"shown": [2, 150]})
    assert found.fact(Preview).groups[0]["indices"] == [2, 150]
    assert {row["labels"] for row in rows} == {0}

"""Pipelines whose labels go with their inputs, more or less plainly, and the same ones shuffled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from overfit_pipelines import bert

from pipedoctor import frameworks
from pipedoctor.facts import Learnability
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402 - after importorskip
from torch.nn import functional  # noqa: E402 - after importorskip

Made = tuple[dict[str, np.ndarray], np.ndarray]

ALL = 1400
"""So many rows each data set has."""


class Dense(nn.Module):
    """Two hidden layers; the loss is that of its labels."""

    def __init__(self, features: int, outputs: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(features, 96),
            nn.ReLU(),
            nn.Linear(96, 96),
            nn.ReLU(),
            nn.Linear(96, outputs),
        )

    def forward(self, x: Any, labels: Any = None) -> Any:
        logits = self.body(x)
        if labels.is_floating_point():
            return {"loss": functional.mse_loss(logits.squeeze(-1), labels), "logits": logits}
        return {"loss": functional.cross_entropy(logits, labels), "logits": logits}


def plain(random: Any, rows: int) -> Made:
    x = random.normal(size=(rows, 16))
    return {"x": x}, (x[:, :3].sum(1) + random.normal(size=rows) > 0).astype(int)


def weak(random: Any, rows: int) -> Made:
    """Three of five rows at best can be told."""
    x = random.normal(size=(rows, 16))
    return {"x": x}, (x[:, :3].sum(1) + 6 * random.normal(size=rows) > 0).astype(int)


def rare(random: Any, rows: int) -> Made:
    """One row in eight is of the second class, and not far from the others."""
    y = (random.random(rows) < 0.12).astype(int)
    x = random.normal(size=(rows, 16))
    x[:, 0] += 1.5 * y
    return {"x": x}, y


def crossed(random: Any, rows: int) -> Made:
    """No single number tells anything; two together do."""
    x = random.normal(size=(rows, 8))
    return {"x": x}, ((x[:, 0] > 0) ^ (x[:, 1] > 0)).astype(int)


def noisy(random: Any, rows: int) -> Made:
    """A number of which a tenth is no noise."""
    x = random.normal(size=(rows, 16))
    return {"x": x}, (x[:, 0] + 3 * random.normal(size=rows)) / 3


def five(random: Any, rows: int) -> Made:
    x = random.normal(size=(rows, 16))
    return {"x": x}, (x[:, :5] + 0.5 * random.normal(size=(rows, 5))).argmax(1)


def words(random: Any, rows: int) -> Made:
    """Three of sixteen tokens are of the class's own."""
    y = random.integers(0, 2, rows)
    x = random.integers(80, 200, (rows, 16))
    for n in range(rows):
        places = random.choice(16, 3, replace=False)
        x[n, places] = random.integers(5 + 8 * y[n], 13 + 8 * y[n], 3)
    return {"input_ids": x, "attention_mask": np.ones_like(x)}, y


def order(random: Any, rows: int) -> Made:
    """Of two tokens that every row has, the first one tells; a bag of words sees nothing."""
    y = random.integers(0, 2, rows)
    x = random.integers(10, 40, (rows, 8))
    for n in range(rows):
        places = np.sort(random.choice(8, 2, replace=False))
        x[n, places] = [3, 4] if y[n] else [4, 3]
    return {"input_ids": x, "attention_mask": np.ones_like(x)}, y


KINDS: Mapping[str, Callable[[Any, int], Made]] = {
    made.__name__: made for made in (plain, weak, rare, crossed, noisy, five, words, order)
}


def data(kind: str, seed: int, *, shuffled: bool, rows: int = ALL) -> list[dict[str, Any]]:
    """The rows; `shuffled` gives each the label of another one."""
    random = np.random.default_rng(seed)
    inputs, labels = KINDS[kind](random, rows)
    labels = random.permutation(labels) if shuffled else labels
    named = {**inputs, "labels": labels}
    return [{name: array[n].tolist() for name, array in named.items()} for n in range(rows)]


def parts(kind: str, seed: int, *, shuffled: bool, rows: int = ALL, **more: Any) -> dict[str, Any]:
    """The parts of a pipeline."""
    held = data(kind, seed, shuffled=shuffled, rows=rows)
    torch.manual_seed(seed)
    tokens = "input_ids" in held[0]
    outputs = 1 if kind == "noisy" else 5 if kind == "five" else 2
    rate = 2e-3 if tokens else 5e-3
    model = bert(num_labels=2) if tokens else Dense(len(held[0]["x"]), outputs)
    return {
        "model": model,
        "train_data": held,
        "optimizer": torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.0),
        "settings": {
            "learning_rate": rate,
            "max_steps": 2000,
            "per_device_train_batch_size": 16,
            "remove_unused_columns": False,
        },
        "overfit": {"steps": 50, "rows": 300},
        **more,
    }


def learnability(kind: str, seed: int, *, shuffled: bool, **more: Any) -> Learnability:
    """What is found out about it."""
    given = Parts(parts(kind, seed, shuffled=shuffled, **more))
    return Pipeline(given, frameworks.probes(given)).fact(Learnability)

"""Dead units are told from inputs that are lost, and from units that rest."""

from __future__ import annotations

from typing import Any

import pytest
from pipelines import pipeline

from pipedoctor.facts import Gradients

torch = pytest.importorskip("torch")


class Model(torch.nn.Module):
    def __init__(self, bias: float, factor: float = 1.0) -> None:
        super().__init__()
        self.body = torch.nn.Linear(2, 16)
        self.head = torch.nn.Linear(16, 2)
        self.factor = factor
        torch.nn.init.constant_(self.body.bias, bias)
        self.body.register_forward_hook(lambda _m, _i, out: out * self.factor)

    def forward(self, x: Any, labels: Any = None) -> Any:
        logits = self.head(torch.nn.functional.relu(self.body(x)))
        return {"loss": torch.nn.functional.cross_entropy(logits, labels)}


def dead(**words: Any) -> Any:
    torch.manual_seed(0)
    rows = [{"x": [n / 8, 1.0], "labels": n % 2} for n in range(8)]
    return dict(pipeline(model=Model(**words), train_data=rows).fact(Gradients).dead)


def test_a_bias_far_below_zero() -> None:
    assert dead(bias=-100.0) == {"body": (16, 16)}


def test_a_usual_layer() -> None:
    assert dead(bias=0.0) == {}


def test_a_layer_that_gives_nothing_is_not_dead_but_lost() -> None:
    assert dead(bias=-100.0, factor=0.0) == {}

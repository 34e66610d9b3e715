"""The reasons and cures of single faults, and what people call the things that are named."""

from __future__ import annotations

from typing import Any

import pytest
from nan_faults import Model, data, traced

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")


def test_an_infinite_weight_of_ones_own_is_no_mask() -> None:
    model = Model()
    counts = torch.ones(16)
    counts[3] = 0
    class_weight = 1 / counts
    model.head.fault = lambda h, w: h + class_weight * (1 - w)
    found = traced(model=model, train_data=data(()))
    (cause,) = found.causes
    assert cause.name == "class_weight, a tensor of the code's own"
    assert not cause.intended
    assert cause.family == "infinite-weight"
    assert "count.clamp(min=1)" in cause.cure


def test_a_count_of_zero_is_a_divisor_of_zero_though_it_is_an_integer() -> None:
    model = Model(lambda h, w: h * w.sum() / (w > 0).sum())
    found = traced(model=model, train_data=data(tuple(range(len(data())))))
    assert found.origin is not None
    assert found.origin.family == "division-by-zero"
    assert any(told.startswith("the divisor is 0") for told in found.origin.operands)
    assert any(told.startswith("the dividend is 0") for told in found.origin.operands)


def test_a_negative_base_under_a_fractional_power_is_not_cured_by_eps() -> None:
    model = Model(lambda h, w: torch.where(h > 0, h.pow(0.3), torch.zeros_like(h)) + 0 * w)
    found = traced(model=model, train_data=data(()))
    assert found.origin is not None
    assert found.origin.family == "root-of-a-negative-number"
    assert "clamp_min" in found.origin.cure
    assert "the base is -" in found.origin.operands[0]


class Rooted(torch.optim.Optimizer):  # type: ignore[misc]  # torch is Any here
    """Takes the root of what it makes negative in the layer `body` only."""

    def __init__(self, model: Any) -> None:
        super().__init__(model.parameters(), {"lr": 1e-3})
        self.body = model.body.weight

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                square = p.grad**2 - (1.0 if p is self.body else 0.0)
                p.add_(p.grad / (square.sqrt() + 1e-6), alpha=-1e-3)


def test_the_weight_is_named_that_an_optimizer_of_ones_own_spoils() -> None:
    model = Model()
    found = traced({"steps": 2}, model=model, optimizer=Rooted(model), train_data=data(()))
    assert found.origin is not None
    assert (found.origin.operation, found.origin.name) == ("aten.sqrt", "body.weight")
    assert found.origin.family == "root-of-a-negative-number"


def test_the_row_of_an_embedding_is_named_and_the_rows_that_use_it() -> None:
    model, rows = Model(), data(())
    for row in rows:
        row["input_ids"] = [token if token != 7 else 8 for token in row["input_ids"]]
    rows[5]["input_ids"][2] = 7
    with torch.no_grad():
        model.words.weight[7] = float("nan")
    found = traced(model=model, train_data=rows)
    assert found.origin is not None
    assert found.origin.operands == ("in row 7 of 50",)
    assert found.rows == (5,)
    assert "input_ids = [" in found.shows[0]


def test_a_training_that_diverged_is_told_first() -> None:
    model = Model(lambda h, _: h)
    model.forward = lambda input_ids, weight, labels: {
        "loss": model.body(model.words(input_ids).mean(1)).square().square().mean()
    }
    optimizer = torch.optim.SGD(model.parameters(), lr=50.0)
    found = traced({"steps": 9}, model=model, optimizer=optimizer, train_data=data(()))
    assert found.root is not None
    assert found.root.why.startswith("the loss grew from")
    assert found.root.cure.startswith("lower learning_rate")

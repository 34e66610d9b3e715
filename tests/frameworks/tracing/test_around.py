"""What stands around a value: the collator that made it, the run that had diverged."""

from __future__ import annotations

from typing import Any

import pytest

from pipedoctor import frameworks
from pipedoctor.facts import Trace
from pipedoctor.frameworks.tracing import around
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline

torch = pytest.importorskip("torch")


class Linear(torch.nn.Module):  # type: ignore[misc]  # torch is Any here
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(2, 1)

    def forward(self, x: Any, labels: Any = None) -> dict[str, Any]:
        return {"loss": (self.layer(x) - labels).square().mean()}


def rows(bad: object = 0.0) -> list[dict[str, Any]]:
    made = [{"x": [1.0, float(n + 1)], "labels": [1.0]} for n in range(16)]
    made[5]["x"] = [bad, bad]
    return made


def shares(chosen: list[dict[str, Any]]) -> dict[str, Any]:
    """Collate rows as shares of their sum: of nothing, that is 0 / 0."""
    x = torch.tensor([row["x"] for row in chosen])
    labels = torch.tensor([row["labels"] for row in chosen])
    return {"x": x / x.sum(-1, keepdim=True), "labels": labels}


def trace(**parts: Any) -> Trace:
    given = Parts({"model": Linear(), "settings": {"output_dir": "out"}, **parts})
    return Pipeline(given, frameworks.probes(given)).fact(Trace)


def test_what_the_collator_makes_is_not_blamed_on_the_data() -> None:
    told = trace(train_data=rows(), collator=shares, trace={"batches": "all"})
    assert told.origin is not None
    assert (told.origin.when, told.rows) == ("data", (5,))
    assert told.origin.family == "made-by-the-collator"
    assert "shares" in told.origin.cure
    assert "test_around.py" in told.origin.cure


def test_what_stands_in_the_data_is() -> None:
    told = trace(train_data=rows(float("nan")), trace={"batches": "all"})
    assert told.origin is not None
    assert "filter" in told.origin.cure
    assert told.rows == (5,)


def test_how_many_batches_there_are_is_known() -> None:
    told = trace(train_data=rows(1.0), trace={"batches": 1})
    assert (told.batches, told.there, told.complete) == (1, 2, False)


def test_a_run_that_diverged_is_told_as_such() -> None:
    told = trace(
        train_data=rows(1.0),
        trace={"steps": 60},
        settings={"output_dir": "out", "learning_rate": 1e6, "max_grad_norm": 0.0},
        optimizer=None,
    )
    if told.finite:  # AdamW of 60 steps may stay below the largest number
        pytest.fail("a rate of a million was survived")
    assert told.origin is not None
    assert "diverged" in told.origin.why


@pytest.mark.parametrize(
    ("losses", "told"),
    [
        ([33.0, 9e7, 1e31, float("nan")], True),
        ([0.7, 0.8, 0.6, float("nan")], False),
        ([5.0, 400.0, float("inf")], False),
        ([0.0, 1e9], False),
        ([-3.0, 1e9], False),
        ([float("nan")], False),
        ([], False),
    ],
)
def test_only_losses_that_ran_away(losses: list[float], told: bool) -> None:
    assert (around.diverged(losses) is not None) is told


def test_gradients_whose_norm_is_no_float32() -> None:
    assert around.norm_beyond_float32([torch.full((3,), 1e18)]) is None
    assert around.norm_beyond_float32([]) is None
    birth = around.norm_beyond_float32([torch.full((3,), 1e25)])
    assert birth is not None
    assert "1e+25" in birth.operands[0]

"""Losses that are mean distances, and labels that are far from where the answers begin."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")

from overfit_pipelines import Case, Network, numbers, overfit  # noqa: E402 - after importorskip
from torch.nn import functional  # noqa: E402 - likewise

from pipedoctor.facts.overfit import INCONCLUSIVE, LEARNS, SLOWLY  # noqa: E402 - likewise
from pipedoctor.frameworks.learning.torch_looks import Look  # noqa: E402 - likewise


def regression(loss: Any, rate: float, shift: float, scale: float = 1.0) -> Case:
    torch.manual_seed(0)
    model = Network("number")
    model.loss = lambda logits, labels: loss(logits.squeeze(-1), labels)  # type: ignore[method-assign] # as a user's own
    rows = numbers("number", 0)
    for row in rows:
        row["labels"] = row["labels"] * scale + shift
    return Case(model, rows, rate)


def kinds(one: Case) -> tuple[str, list[str]]:
    fact = overfit(one)
    assert fact.restored
    return fact.verdict, [reason.kind for reason in fact.reasons]


@pytest.mark.parametrize(
    "loss", [functional.l1_loss, pytest.param(functional.huber_loss, marks=pytest.mark.deep)]
)
def test_a_mean_distance_is_not_told_that_its_labels_are_unpaired(loss: Any) -> None:
    """Where all answers lie below all labels, it is the same whichever label belongs to which."""
    assert kinds(regression(loss, 1e-5, 300)) == (INCONCLUSIVE, ["labels-far-away"])
    assert kinds(regression(loss, 1e-3, 2e5, 5e4)) == (INCONCLUSIVE, ["labels-far-away"])


def test_labels_some_way_off_are_learned() -> None:
    assert kinds(regression(functional.l1_loss, 1e-3, 0)) == (LEARNS, [])
    assert kinds(regression(functional.l1_loss, 1e-6, 0)) == (SLOWLY, ["rate-too-low"])


def test_squares_of_far_labels_are_no_proof_of_a_fault() -> None:
    assert kinds(regression(functional.mse_loss, 1e-3, 300)) == (INCONCLUSIVE, ["labels-far-away"])


def test_a_loss_of_means_is_still_found() -> None:
    """It compares the mean of the answers with that of the labels, and no row with its own."""
    one = regression(lambda p, y: (p.mean() - y.mean()).abs(), 1e-3, 0)
    assert "labels-unpaired" in kinds(one)[1]


@pytest.mark.parametrize(
    ("answers", "labels", "apart"),
    [
        ([[0.0], [1.0]], [2.0, 3.0], True),
        ([[0.0], [2.5]], [2.0, 3.0], False),
        ([[0.0, 9.0], [1.0, 8.0]], [[2.0, 1.0], [3.0, 2.0]], True),
        ([[0.0, 9.0], [1.0, 1.5]], [[2.0, 1.0], [3.0, 2.0]], False),
        ([[0.0, 1.0, 2.0], [0.0, 1.0, 2.0]], [2.0, 3.0], False),
    ],
)
def test_answers_beyond_all_labels(answers: Any, labels: Any, apart: bool) -> None:
    look = Look.at({"x": torch.zeros(2, 3), "labels": torch.tensor(labels)})
    assert (look.apart({"logits": torch.tensor(answers)}) is not None) is apart

"""Squares that are made by accident are told from those that are meant."""

from __future__ import annotations

from typing import Any

import pytest
from pipelines import pipeline

from pipedoctor.facts import Gradients

torch = pytest.importorskip("torch")

from torch.nn import functional  # noqa: E402 - after importorskip


class Model(torch.nn.Module):
    def __init__(self, loss: Any, outputs: int = 1) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(2, outputs)
        self.compute = loss

    def forward(self, x: Any, labels: Any = None) -> Any:
        return {"loss": self.compute(self.linear(x), labels).mean()}


def broadcast(loss: Any, *, column: bool = False, outputs: int = 1) -> Any:
    rows = [{"x": [float(n), 1.0], "labels": [n / 8] if column else n / 8} for n in range(8)]
    return pipeline(model=Model(loss, outputs), train_data=rows).fact(Gradients).broadcast


@pytest.mark.parametrize(
    "loss",
    [
        lambda answers, labels: (answers - labels) ** 2,
        lambda answers, labels: (labels - answers).abs(),
        lambda answers, labels: functional.mse_loss(answers * 2, labels),
        functional.smooth_l1_loss,
    ],
)
@pytest.mark.filterwarnings("ignore:Using a target size")
def test_a_column_of_answers_and_a_line_of_labels(loss: Any) -> None:
    assert broadcast(loss) == ((8, 1), (8,))


def test_a_line_of_answers_and_a_column_of_labels() -> None:
    found = broadcast(lambda answers, labels: (answers.squeeze(-1) - labels) ** 2, column=True)
    assert found == ((8,), (8, 1))


@pytest.mark.parametrize(
    "loss",
    [
        lambda answers, labels: (answers.squeeze(-1) - labels) ** 2,
        lambda answers, labels: (answers - labels[:, None]) ** 2,
        # each pair of answers is meant to be compared, as in a loss of ranks
        lambda answers, labels: functional.relu(1 - (answers - answers.squeeze(-1))),
        lambda answers, labels: torch.cdist(answers, answers) * (labels[:, None] == labels),
        lambda answers, labels: answers * (labels[:, None] - labels[None, :]),
    ],
)
def test_what_is_meant_is_not_told(loss: Any) -> None:
    assert broadcast(loss) is None


def test_eight_outputs_of_eight_rows_are_no_square() -> None:
    assert broadcast(lambda answers, labels: (answers - labels) ** 2, outputs=8) is None

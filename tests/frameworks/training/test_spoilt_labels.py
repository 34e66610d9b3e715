"""Labels that are not finite: told with their rows, unless the loss leaves them out."""

from __future__ import annotations

from typing import Any

import pytest

from pipedoctor import frameworks
from pipedoctor.facts import SpoiltLabels
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline

torch = pytest.importorskip("torch")
datasets = pytest.importorskip("datasets")


class Model(torch.nn.Module):  # type: ignore[misc]  # torch is Any here
    """A regression, whose loss may leave rows without a label out."""

    def __init__(self, *, masked: bool = False) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(2, 1)
        self.masked = masked

    def forward(self, x: Any, labels: Any = None) -> Any:
        errors = (self.linear(x)[:, 0] - labels.reshape(-1)).square()
        if self.masked:
            errors = torch.where(labels.reshape(-1).isfinite(), errors, 0.0)
        return {"loss": errors.mean()}


def rows(bad: float) -> list[dict[str, Any]]:
    return [{"x": [0.1 * n, 1.0], "labels": bad if n == 13 else 0.5} for n in range(48)]


def found(model: Any, data: Any) -> SpoiltLabels:
    given = Parts({"model": model, "train_data": data})
    return Pipeline(given, frameworks.probes(given)).fact(SpoiltLabels)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("make", [list, datasets.Dataset.from_list])
def test_the_row_is_found_and_its_loss_is_not_finite(bad: float, make: Any) -> None:
    told = found(Model(), make(rows(bad)))
    assert (told.column, told.count, told.of, told.rows) == ("labels", 1, 48, (13,))
    assert not abs(told.loss) < float("inf")


def test_a_loss_that_leaves_them_out_is_finite() -> None:
    assert found(Model(masked=True), rows(float("nan"))).loss == 0.0


def test_labels_that_are_finite_are_not_run() -> None:
    told = found(Model(), rows(0.25))
    assert told.count == 0
    assert not told.known("loss")

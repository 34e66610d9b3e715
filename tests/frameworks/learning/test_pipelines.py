"""Healthy pipelines learn; each fault is named: a few here, all of them in the deep suite."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from overfit_healthy import PIPELINES  # noqa: E402 - after importorskip
from overfit_pipelines import FAULTS, HEALTHY, Fault, case, combinations, overfit, right  # noqa: E402 - likewise

FEW = {
    "frozen": "bert", "rate_zero": "network", "rate_low": "bert", "rate_high": "pictures",
    "other_model_in_the_optimizer": "network", "warm_up_for_ever": "gpt2", "decay_wins": "network",
    "detached_loss": "bert", "no_grad": "gpt2", "inputs_lost": "bert", "inputs_dropped": "several",
    "labels_ignored": "network", "labels_masked": "bert", "loss_broadcasts": "regression",
    "mse_broadcasts": "regression", "units_dead": "pictures", "weights_zero": "network",
    "vanishing": "network", "averaged_over_rows": "network", "negated": "gpt2", "noise": "network", "one_label": "pictures",
}  # fmt: skip
"""Each fault once."""


@pytest.mark.parametrize("model", HEALTHY)
def test_healthy(model: str) -> None:
    fact = overfit(case(model, 0))
    assert fact.learns, fact
    assert fact.steps <= 25
    assert fact.restored


@pytest.mark.parametrize("name", ["bert-small", "digits", "zero head", "weighted loss"])
def test_healthy_of_other_kinds(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    fact = overfit(PIPELINES[name](tmp_path))
    assert fact.learns, fact
    assert fact.restored
    if name == "bert-small":
        assert fact.steps <= 15


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault(fault: Fault) -> None:
    one = case(FEW[fault.name], 0)
    fault.plant(one)
    fact = overfit(one)
    assert right(fact, fault), fact
    assert fact.steps <= 40
    assert fact.restored


@pytest.mark.deep
@pytest.mark.parametrize("name", PIPELINES)
def test_every_healthy_pipeline(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    fact = overfit(PIPELINES[name](tmp_path))
    assert fact.learns, fact
    assert fact.restored


@pytest.mark.deep
@pytest.mark.parametrize(
    ("model", "fault", "seed"),
    [
        pytest.param(*c, id=f"{c[0]}-{c[1].name if c[1] else 'healthy'}-{c[2]}")
        for c in combinations(range(3))
    ],
)
def test_matrix(model: str, fault: Fault | None, seed: int) -> None:
    one = case(model, seed)
    if fault is not None:
        fault.plant(one)
    fact = overfit(one)
    assert right(fact, fault), fact
    assert fact.steps <= 40
    assert fact.restored


def test_the_batch_holds_every_label() -> None:
    one = case("network", 0)
    one.rows.sort(key=lambda row: row["labels"])  # the first batch has label 0 only
    fact = overfit(one)
    assert fact.classes == (4, 4)
    assert {one.rows[row]["labels"] for row in fact.rows} == {0, 1, 2, 3}
    assert fact.learns


def test_the_floor_of_contradictory_rows_is_told() -> None:
    one = case("network", 0)
    one.rows[5] = {**one.rows[4], "labels": 1}
    one.rows[4] = {**one.rows[4], "labels": 0}
    fact = overfit(one)
    assert fact.learns
    assert fact.floor == pytest.approx(2 * 0.6931 / 8, rel=1e-3)
    assert list(fact.parts) == ["the same input with different labels"]

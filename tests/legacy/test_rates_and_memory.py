"""Rates that are tried and memory that is foretold, for models of Keras 2."""

from __future__ import annotations

import logging

import numpy as np
import pytest

pytest.importorskip("tf_keras")
second_fits = pytest.importorskip("legacy.second_fits")

from pipedoctor.facts import MemoryPlan, RangeTest  # noqa: E402 - after what is imported or skipped


def test_rates_are_tried_and_all_is_put_back(caplog: pytest.LogCaptureFixture) -> None:
    x = np.random.default_rng(0).normal(size=(320, second_fits.FEATURES)).astype("float32")
    y = x.sum(1, keepdims=True)
    model = second_fits.model("sequential", optimizer="adam")
    before = second_fits.held(model)
    with caplog.at_level(logging.WARNING, "tensorflow"):
        made = second_fits.pipeline(model=model, x=x, y=y, range_test={})
        found = made.fact(RangeTest)
    assert found.suggestion is not None
    assert found.points
    assert found.restored
    assert second_fits.held(model) == before
    assert "AutoGraph" not in caplog.text


def test_memory_is_that_of_its_step() -> None:
    x, y = second_fits.data()
    model = second_fits.model("sequential", optimizer="adam")
    plan = second_fits.pipeline(model=model, x=x, y=y, memory={"room": 2**31}).fact(MemoryPlan)
    assert plan.parameters == sum(int(np.prod(one.shape)) for one in model.weights)
    assert plan.peak > 0
    assert plan.batches[1] <= plan.batches[max(plan.batches)]

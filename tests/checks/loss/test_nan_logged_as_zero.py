"""What the log hides is told only where the loss itself is not finite, and the filter is on."""

from __future__ import annotations

import pytest
from facts import findings, settings, the_finding

from pipedoctor.facts import Birth, Trace
from pipedoctor_checks.loss.nan_logged_as_zero import nan_logged_as_zero as check

ORIGIN = Birth(when="forward", what="NaN", operation="aten.mul")


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_the_loss_and_the_batch_are_named(loss: float) -> None:
    found = the_finding(check, Trace(batches=3, batch=2, origin=ORIGIN, loss=loss), settings())
    assert f"batch 2 is {loss}" in found.message
    assert found.remedy.startswith('"logging_nan_inf_filter": false')


def test_a_loss_that_is_logged_as_it_is() -> None:
    nan = Trace(batches=1, batch=0, origin=ORIGIN, loss=float("nan"))
    assert not findings(check, nan, settings(logging_nan_inf_filter=False))
    finite = Trace(batches=1, batch=0, origin=ORIGIN, loss=0.7)  # NaN in its gradients only
    assert not findings(check, finite, settings())
    assert not findings(check, Trace(batches=1, loss=0.7), settings())

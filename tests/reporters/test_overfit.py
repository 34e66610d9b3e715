"""The report on one batch, for people, from figures alone."""

from __future__ import annotations

from collections.abc import Callable

from pipedoctor.facts.overfit import CANNOT, INCONCLUSIVE, LEARNS, Curve, Overfit, Reason
from pipedoctor.report import Report
from pipedoctor.reporters import overfit


def shown(fact: Overfit) -> str:
    report = Report("train.py", (), ("bert (22.7 M)",), figures={"Overfit": (fact.figures(),)})
    return overfit.plain(report, 80)


def test_a_pipeline_that_learns(snapshot: Callable[[str, str], None]) -> None:
    slow = Curve("AdamW", 2e-5, (2.08, 2.07, 2.05, 2.04, 2.03), own=True, goal=1.66)
    proof = Curve("AdamW", 1e-4, (2.08, 1.98, 1.84, 1.7, 1.52, 1.4), goal=1.66, reached=True)
    fact = Overfit(
        verdict=LEARNS,
        curves=(slow, proof),
        rows=(0, 1, 15, 16, 40, 43, 87, 93),
        floor=0.1733,
        parts={"the same input with different labels": 0.1733},
        chance=2.0794,
        classes=(8, 8),
        needed=33.2,
        planned=1000.0,
        restored=True,
        digest="0123456789abcdef" * 4,
        notes=("dropout is off, so that the curve shows learning and no noise",),
    )
    snapshot("overfit-learns.txt", shown(fact))


def test_a_pipeline_that_cannot(snapshot: Callable[[str, str], None]) -> None:
    wild = Curve("SGD", 30.0, (1.39, 20.0, float("nan")), own=True, goal=1.1, diverged=True)
    fact = Overfit(
        verdict=CANNOT,
        curves=(wild,),
        rows=(0, 1, 2, 3),
        reasons=(
            Reason(
                "rate-too-high",
                "at 30 the loss goes from 1.39 to nan in 2 updates of SGD",
                "set the learning rate to 1e-3 or less",
                "HYP001",
            ),
        ),
        chance=1.386,
        ignored=0.25,
        classes=(4, 9),
        restored=False,
    )
    snapshot("overfit-cannot.txt", shown(fact))


def test_nothing_measured_is_nothing_proved() -> None:
    report = Report("train.py", (), figures={"Overfit": ({"unavailable": "no model was given"},)})
    assert overfit.plain(report).rstrip().endswith("Nothing is proved: no model was given")


def test_a_curve_is_drawn_within_its_bounds() -> None:
    assert overfit.sparkline([2.0, 1.0, 0.1], 0.0, 2.0) == "█▄▁"
    assert overfit.sparkline([1.0, float("nan"), 9.0], 0.0, 1.0) == "█!^"
    assert overfit.sparkline([1.0], 1.0, 1.0) != ""


def test_how_low_a_loss_of_ones_own_can_get_is_not_claimed() -> None:
    fact = Overfit(INCONCLUSIVE, (Curve("Adam", 1e-3, (544.0, 486.0), own=True),), rows=(0, 1))
    assert "how low this loss can get is not known" in shown(fact)
    assert fact.figures()["floor"] is None

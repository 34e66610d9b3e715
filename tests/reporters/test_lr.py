"""The report on learning rates, for people, from figures alone."""

from __future__ import annotations

from collections.abc import Callable

from pipedoctor.facts import RangeTest, UsualRates
from pipedoctor.facts.range_test import FOUND, INCONCLUSIVE, LOW, TOO_HIGH, Point, Trial
from pipedoctor.report import Report
from pipedoctor.reporters import lr
from pipedoctor.reporters.rates_chart import Scale

USUAL = UsualRates(
    kind="small encoders",
    method="full fine-tuning",
    optimizer="AdamW",
    low=3e-5,
    high=3e-4,
    first=1e-4,
    source="arXiv:1908.08962",
    parameters=22_700_000,
    batch=16,
)


def shown(fact: RangeTest, width: int = 80) -> str:
    figures = {"RangeTest": (fact.figures(),), "UsualRates": (USUAL.figures(),)}
    return lr.plain(Report("train.py", (), ("bert (22.7 M)",), figures=figures), width)


def points(last: float) -> tuple[Point, ...]:
    losses = (2.08, 2.08, 2.07, 2.05, 2.0, 1.9, 1.6, 1.2, 0.9, 1.0, 1.6, 2.4, last)
    return tuple(Point(10 ** (n / 2 - 6), loss, loss) for n, loss in enumerate(losses))


def test_a_rate_that_is_too_high(snapshot: Callable[[str, str], None]) -> None:
    fact = RangeTest(
        outcome=FOUND,
        optimizer="AdamW",
        rate=0.5,
        points=points(9.0),
        start=2.08,
        low=3e-5,
        high=2e-2,
        diverges=0.1,
        suggestion=2e-3,
        confidence="high",
        judged=TOO_HIGH,
        times=5.0,
        evidence="the loss rises from 0.1 on; from 2.08 it goes to 31 in 7 updates at your rate",
        trials=(Trial(2e-3, (2.08, 1.9)), Trial(0.5, (2.08, 31.0), own=True)),
        batches=40,
        batch_rows=16,
        restored=True,
        digest="0123456789abcdef" * 4,
        notes=("dropout is off, so that the curve shows learning and no noise",),
    )
    snapshot("lr-too-high.txt", shown(fact))


def test_a_rate_that_nobody_stated(snapshot: Callable[[str, str], None]) -> None:
    fact = RangeTest(
        outcome=FOUND,
        optimizer="Adam",
        rate=1e-3,
        points=points(2.5),
        start=2.08,
        low=5e-3,
        high=5e-2,
        suggestion=5e-3,
        confidence="low",
        doubts=("there are 3 batches only", "the loss did not diverge up to 1"),
        judged=LOW,
        evidence="how many steps the run has is not known",
        batches=3,
        batch_rows=32,
        by_name="Adam",
        restored=False,
    )
    snapshot("lr-low.txt", shown(fact))


def test_no_rate_can_be_told(snapshot: Callable[[str, str], None]) -> None:
    fact = RangeTest(
        outcome=INCONCLUSIVE,
        optimizer="SGD",
        rate=0.1,
        why="the loss of batch 3 is nan before any update",
        advice="pipedoctor nan-trace TARGET says where it is born: operation, line, layer, row",
        batches=3,
        restored=True,
        digest="f" * 64,
    )
    snapshot("lr-nan.txt", shown(fact))


def test_nothing_measured_is_nothing_proved() -> None:
    figures = {"RangeTest": ({"unavailable": "the train data has no rows"},)}
    told = lr.plain(Report("train.py", (), figures=figures))
    assert told.splitlines()[-1] == "Nothing is proved: the train data has no rows"


def test_every_rate_has_its_column() -> None:
    scale = Scale(1e-6, 1.0, 61)
    assert [scale.column(10.0**n) for n in range(-6, 1)] == [0, 10, 20, 30, 40, 50, 60]
    assert (scale.column(0.0), scale.column(1e-9), scale.column(100.0)) == (0, 0, 60)
    assert scale.axis().split() == ["1e-6", "1e-5", "1e-4", "0.001", "0.01", "0.1", "1"]
    assert scale.mark(1e-4, 1e-2) == " " * 20 + "━" * 21


def test_a_narrow_page_holds_the_chart() -> None:
    fact = RangeTest(FOUND, "AdamW", 1e-3, points(2.5), 2.08, 1e-4, 1e-2, None, 1e-3, "high")
    assert max(map(len, shown(fact, 50).splitlines())) <= 50

"""The verdict from curves alone, and the floors from batches alone."""

from __future__ import annotations

from math import log
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipedoctor.facts.overfit import CANNOT, INCONCLUSIVE, LEARNS, SLOWLY, Curve
from pipedoctor.frameworks.learning import floors, rules
from pipedoctor.frameworks.learning.attempts import Attempts
from pipedoctor.frameworks.learning.rules import Way
from pipedoctor.frameworks.learning.verdicts import Seen, depends, judge

WAY = Way(start=1.4, floor=0.0, chance=1.38)
FALLING = (1.4, 1.3, 1.15, 0.95, 0.7)


def curve(*losses: float, own: bool = False, rate: float = 1e-3) -> Curve:
    return Curve(
        "AdamW",
        rate,
        losses,
        own=own,
        reached=rules.reached(losses, WAY),
        diverged=rules.diverged(losses, WAY),
    )


def seen(**more: Any) -> Seen:
    stated: Any = {"trainable": 4, "held": 4, "rates": (1e-3,), "adam": True, **more}
    return Seen(**stated)


def test_what_a_constant_answer_reaches_is_no_learning() -> None:
    assert not rules.reached((2.0, 1.5, 1.39, 1.38, 1.38), Way(2.0, 0.0, 1.38))
    assert rules.reached((2.0, 1.5, 1.2, 1.0, 0.9), Way(2.0, 0.0, 1.38))


def test_one_lucky_step_is_no_proof() -> None:
    assert not rules.reached((1.4, 0.3, 1.4), WAY)
    assert not rules.reached((1.4, 0.3), WAY)


def test_without_a_known_chance_half_of_the_way_is_asked_for() -> None:
    way = Way(2.0)
    assert way.goal == 1.0
    assert Way(2.0, 0.0, 2.0).goal == 1.6


def test_a_loss_that_is_no_number_has_diverged() -> None:
    assert rules.diverged((1.4, float("nan")), WAY)
    assert rules.diverged((1.4, 9.0, 9.0, 9.0), WAY)
    assert not rules.diverged((1.4, 9.0, 1.2, 1.1), WAY)


def test_rounding_is_no_fall() -> None:
    assert rules.left((1.4, 1.4 - 1e-8, 1.4 - 2e-8), WAY) == float("inf")
    assert rules.left((1.4, 1.3, 1.2), WAY) == pytest.approx((1.2 - WAY.goal) / 0.1)


def test_verdicts() -> None:
    own = curve(*FALLING, own=True)
    assert judge([own], WAY, seen(), late=False).verdict == LEARNS
    slow = curve(1.4, 1.39999, 1.39998, own=True, rate=1e-6)
    proof = curve(*FALLING)
    low = {"rates": (1e-6,), "total": 1000}
    short = judge([slow, proof], WAY, seen(planned=1000.0, **low), late=False)
    assert short.verdict == SLOWLY
    long = judge([slow, proof], WAY, seen(planned=1e6, **low), late=False)
    assert long.verdict == LEARNS
    assert long.needed == pytest.approx(4000)  # at a rate of 1e-3 it takes four updates
    flat = curve(*[1.39] * 20)
    assert judge([flat, flat], WAY, seen(), late=False).verdict == CANNOT
    assert judge([curve(*[1.39] * 6)], WAY, seen(), late=True).verdict == INCONCLUSIVE
    part = curve(*[1.4 - 0.01 * n for n in range(16)])
    assert judge([part, part], WAY, seen(), late=False).verdict == INCONCLUSIVE


def test_a_trial_of_a_few_steps_is_not_called_slow() -> None:
    slow = curve(1.4, 1.39999, 1.39998, own=True, rate=1e-6)
    judged = judge([slow, curve(*FALLING)], WAY, seen(planned=4.0, total=4), late=False)
    assert judged.verdict == LEARNS
    assert "4 steps" in judged.note


def test_a_warm_up_counts_in_part() -> None:
    own = curve(*FALLING, own=True)
    judged = judge([own], WAY, seen(planned=0.5, total=100, warmup=10_000), late=False)
    assert judged.verdict == SLOWLY


@pytest.mark.parametrize(
    "more",
    [{"labels_matter": False}, {"counted": 0}, {"connected": False}, {"trainable": 0}],
)
def test_what_is_settled_needs_no_curve(more: dict[str, object]) -> None:
    one = seen()
    for name, value in more.items():
        setattr(one, name, value)
    assert judge([curve(*FALLING, own=True)], WAY, one, late=False).verdict == CANNOT


def test_a_control_that_costs_no_more_disproves() -> None:
    assert not depends(0.5, 0.5, WAY)
    assert depends(0.5, 1.5, WAY)
    assert depends(0.5, None, WAY)


class Fake:
    """A learner that follows curves, one for each attempt."""

    stuck = False

    def __init__(self, *curves: tuple[float, ...]) -> None:
        self.curves = list(curves)
        self.begun: list[tuple[str | None, float | None]] = []
        self.place = 0

    def begin(self, optimizer: str | None, rate: float | None) -> None:
        self.begun.append((optimizer, rate))
        self.place = 0

    def loss(self) -> float:
        losses = self.curves[len(self.begun) - 1]
        return losses[min(self.place, len(losses) - 1)]

    def update(self) -> None:
        self.place += 1


def test_it_stops_as_soon_as_the_users_own_optimizer_learns() -> None:
    fake = Fake(FALLING)
    attempts = Attempts(fake, lambda start: Way(start, 0.0, 1.38))
    attempts.run("AdamW", 1e-3)
    assert fake.begun == [(None, None)]
    assert attempts.curves[0].updates == 4


def test_a_slow_curve_chooses_the_rate_that_is_tried_next() -> None:
    slow = tuple(1.38 - 0.002 * n for n in range(20))
    fake = Fake(slow, FALLING)
    Attempts(fake, lambda start: Way(start, 0.0, 1.38)).run("AdamW", 2e-5)
    assert fake.begun[0] == (None, None)
    name, rate = fake.begun[1]
    assert name == "AdamW"
    assert rate is not None
    assert 2e-4 < rate < 1e-3


def test_a_wild_curve_is_tried_again_at_a_lower_rate() -> None:
    wild = (1.4, 9.0, 9.0, 9.0, 9.0)
    fake = Fake(wild, wild, FALLING)
    attempts = Attempts(fake, lambda start: Way(start, 0.0, 1.38))
    attempts.run("SGD", 10.0)
    assert [rate for _, rate in fake.begun] == [None, 1e-3, 1e-4]
    assert attempts.curves[-1].reached


def test_the_steps_that_are_allowed_are_not_exceeded() -> None:
    fake = Fake(*[(1.39,)] * 9)
    attempts = Attempts(fake, lambda start: Way(start, 0.0, 1.38), most=7)
    attempts.run("AdamW", 1e-3)
    assert sum(one.updates for one in attempts.curves) <= 7


def test_the_same_input_with_different_labels_has_their_entropy_for_a_floor() -> None:
    bounds = floors.of_classes([0, 1, 2, 2], ["a", "a", "b", "b"], 0.0, 3)
    assert bounds.floor == pytest.approx(log(2) / 2)
    assert bounds.chance == pytest.approx(1.5 * log(2))
    assert list(bounds.parts) == ["the same input with different labels"]


def test_smoothing_has_the_loss_that_torch_gives_a_perfect_answer() -> None:
    torch = pytest.importorskip("torch")
    share, classes = 0.1, 5
    wanted = torch.full((classes,), share / classes)
    wanted[2] += 1 - share
    loss = torch.nn.functional.cross_entropy(
        wanted.log()[None], torch.tensor([2]), label_smoothing=share
    )
    bounds = floors.of_classes([2], ["a"], share, classes)
    assert bounds.floor == pytest.approx(float(loss), rel=1e-5)
    assert list(bounds.parts) == ["label smoothing"]


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=30),
    st.sampled_from([0.0, 0.1, 0.5]),
)
def test_the_floor_is_never_above_chance(rows: list[tuple[int, int]], smoothing: float) -> None:
    labels, contexts = zip(*rows, strict=True)
    bounds = floors.of_classes(labels, contexts, smoothing, 7)
    assert bounds.chance is not None
    assert -1e-9 <= bounds.floor <= bounds.chance + 1e-9
    assert sum(bounds.parts.values()) == pytest.approx(bounds.floor, abs=1e-6)


def test_squares_have_the_variance() -> None:
    pytest.importorskip("numpy")
    bounds = floors.of_numbers([1.0, 3.0, 5.0, 5.0], ["a", "a", "b", "c"], floors.SQUARES)
    assert bounds.floor == pytest.approx(0.5)
    assert bounds.chance == pytest.approx(2.75)

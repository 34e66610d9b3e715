"""The range test on losses whose truth is known: no framework, no chance but what is put in."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from math import exp

import pytest

from pipedoctor.clock import Clock
from pipedoctor.facts.range_test import (
    FOUND,
    HIGH,
    INCONCLUSIVE,
    LOW,
    TOO_HIGH,
    TOO_LOW,
    WITHIN,
    Point,
    RangeTest,
)  # fmt: skip
from pipedoctor.frameworks.rates import batches, curve
from pipedoctor.frameworks.rates.batches import Sizes
from pipedoctor.frameworks.rates.judging import Own
from pipedoctor.frameworks.rates.sweep import Span, Sweep
from pipedoctor.frameworks.rates.trying import Wish, run


@dataclass
class Bowl:
    """
    A loss that is a square of one weight, so that plain descent diverges at a rate of 2 / steep.

    Batches differ by `apart`; `noise` is drawn at each look; `nan_from` is a rate that breaks it,
    `nan_batch` a batch that does.
    """

    steep: float = 1.0
    batches: int = 40
    apart: float = 0.0
    noise: float = 0.0
    flat: bool = False
    nan_from: float = float("inf")
    nan_batch: int = -1
    spoils_gradients: bool = False
    weight: float = 1.0
    made: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(0)
        self.easy = [self.chance.gauss(0, self.apart) for _ in range(self.batches)]
        self.broken = False

    def begin(self) -> None:
        self.weight, self.broken = 1.0, False

    def base(self, place: int) -> float:
        if place == self.nan_batch or self.broken:
            return float("nan")
        return (
            1
            + self.steep * self.weight**2 / 2
            + self.easy[place]
            + self.chance.gauss(0, self.noise)
        )

    def step(self, place: int, rate: float) -> tuple[float, bool]:
        loss = self.base(place)
        self.made.append(rate)
        self.broken = self.broken or rate >= self.nan_from
        if not self.flat:
            self.weight -= rate * self.steep * self.weight
        return loss, not (self.spoils_gradients and self.broken)


def tried(bowl: Bowl, rate: float = 0.1, planned: int | None = 1000, **more: float) -> RangeTest:
    reach = None if planned is None else rate * planned
    return run(Sweep(bowl), Wish("SGD", Own(rate, planned, reach), 100, **more))


@pytest.mark.parametrize("steep", [0.3, 1.0, 10.0, 100.0])
@pytest.mark.parametrize("apart", [0.0, 0.3])
def test_where_it_diverges_is_found(steep: float, apart: float) -> None:
    found = tried(Bowl(steep, apart=apart))
    assert found.outcome == FOUND
    assert found.diverges is not None
    # It diverges from 2 / steep on; by then it has come so low that it takes steps to come up.
    assert 2 / steep < found.diverges < 20 / steep
    assert found.suggestion is not None
    assert 0.3 / steep < found.suggestion < 2 / steep  # the best is 1 / steep
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.suggestion < found.high < found.diverges


def test_a_rate_beyond_is_too_high_by_the_factor_that_is_proved() -> None:
    found = tried(Bowl(), 50.0)
    assert found.judged == TOO_HIGH
    assert found.diverges is not None
    assert found.times == pytest.approx(50 / found.diverges, rel=0.1)
    assert found.trials[-1].own
    assert "it goes to" in found.evidence


def test_a_rate_that_does_not_diverge_by_itself_is_not_called_too_high() -> None:
    class Tame(Bowl):
        """It diverges in the rise only."""

        def step(self, place: int, rate: float) -> tuple[float, bool]:
            loss = super().step(place, rate)[0]
            if len(self.made) > 1 and self.made[-2] == rate:
                self.weight = 0.5
            return loss, True

    found = tried(Tame(), 50.0)
    assert found.judged == HIGH
    assert found.times is None


@pytest.mark.parametrize(
    ("rate", "planned", "word"),
    [
        (1e-9, 1000, TOO_LOW),
        (1e-9, None, LOW),
        (1e-9, 10, LOW),
        (1e-4, 100_000, LOW),
        (0.0, 1000, TOO_LOW),
    ],
)
def test_a_low_rate_is_a_fault_only_where_the_run_is_too_short(
    rate: float, planned: int | None, word: str
) -> None:
    assert tried(Bowl(), rate, planned).judged == word


def test_too_low_tells_by_how_much() -> None:
    found = tried(Bowl(), 1e-9)
    # A tenth of the fall of such a bowl is made when the rates add up to about 0.05.
    assert found.times is not None
    assert 1e4 < found.times < 3e5
    assert "1,000 steps" in found.evidence


def test_within_is_within() -> None:
    assert tried(Bowl(), 0.5).judged == WITHIN


def test_a_loss_that_does_not_fall_gets_no_suggestion() -> None:
    found = tried(Bowl(flat=True))
    assert found.outcome == INCONCLUSIVE
    assert found.suggestion is None
    assert "falls at no rate from 1e-5 to 100" in found.why
    assert found.points[-1].rate == pytest.approx(100)
    assert "overfit" in found.advice


@pytest.mark.parametrize("seed", range(20))
def test_noise_alone_is_no_fall(seed: int) -> None:
    bowl = Bowl(flat=True, noise=0.05)
    bowl.chance.seed(seed)
    assert tried(bowl).suggestion is None


def test_nan_before_any_update_is_said_and_nothing_is_tried() -> None:
    bowl = Bowl(nan_batch=2)
    found = tried(bowl)
    assert (found.outcome, found.suggestion, found.diverges) == (INCONCLUSIVE, None, None)
    assert "the loss of batch 3 is nan before any update" in found.why
    assert "nan-trace" in found.advice
    assert bowl.made == []


@pytest.mark.parametrize("spoils", [False, True])
def test_no_rate_is_made_of_a_loss_that_is_nan_all_at_once(spoils: bool) -> None:
    found = tried(Bowl(nan_from=0.05, spoils_gradients=spoils))
    assert (found.outcome, found.suggestion, found.diverges) == (INCONCLUSIVE, None, None)
    assert ("gradient is not finite" if spoils else "without rising first") in found.why
    assert "nan-trace" in found.advice


def test_the_time_limit_ends_it() -> None:
    found = run(Sweep(Bowl(), Clock(soft=0.0, limit=60.0)), Wish("SGD", Own(0.1), 100))
    assert found.outcome == INCONCLUSIVE
    assert "--time" in found.advice


@dataclass
class Ticking(Clock):
    """A clock that is over after so many steps, whatever they take."""

    steps: int = 0
    made: int = 0

    def over(self) -> bool:
        self.made += 1
        return self.made > self.steps


def ended(steps: int) -> RangeTest:
    sweep = Sweep(Bowl(batches=10), Ticking(limit=60.0, hard=0.0, steps=steps))
    return run(sweep, Wish("SGD", Own(100.0, 1000, 1e5), 100))


def test_where_no_rate_was_tried_nothing_is_suggested_but_the_curve_is_told() -> None:
    found = ended(10 + 12)
    assert (found.outcome, found.suggestion) == (INCONCLUSIVE, None)
    assert len(found.points) == 13
    assert found.cut == "time ran out after 60 s; --time 120 allows more"


def test_a_trial_that_was_broken_off_for_time_tells_nothing() -> None:
    whole = ended(10**6)
    assert whole.cut == ""
    in_the_rise = 10 + len(whole.points)
    first = ended(in_the_rise + 5)
    assert (first.outcome, first.trials) == (INCONCLUSIVE, ())
    second = ended(in_the_rise + 12 + 5)
    assert second.outcome == FOUND
    assert len(second.trials) == 1
    assert "time ran out after 1 trial" in second.doubts
    assert second.judged != TOO_HIGH
    assert "no time to try your rate" in second.evidence
    assert whole.judged == TOO_HIGH


def test_fewer_steps_are_made_where_there_is_time_for_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)

    class Slow(Bowl):
        def step(self, place: int, rate: float) -> tuple[float, bool]:
            nonlocal now
            now += 1.0
            return super().step(place, rate)

    bowl = Slow()
    found = run(Sweep(bowl, Clock(soft=50.0, hard=60.0, limit=60.0)), Wish("SGD", Own(0.1), 100))
    assert found.outcome == FOUND
    assert found.doubts[0] == "there was time for 49 of 100 steps"
    assert now < 60


def test_what_is_drawn_anew_each_time_hides_the_rates() -> None:
    found = tried(Bowl(noise=0.6))
    assert found.confidence != "high" or found.suggestion is None


def test_doubts_lower_the_confidence() -> None:
    sure = tried(Bowl())
    assert (sure.confidence, sure.doubts) == ("high", ())
    few = tried(Bowl(batches=3))
    assert few.confidence == "medium"
    assert few.doubts == ("there are 3 batches only",)
    strange = tried(Bowl(batches=1), usual=(1e-5, 1e-4))
    assert strange.confidence == "low"
    assert strange.doubts[0] == "there is 1 batch only"
    assert strange.doubts[1] == "1e-5 to 1e-4 is usual for such a model"


def test_no_more_steps_than_planned() -> None:
    bowl = Bowl()
    found = tried(bowl, 50.0)
    assert found.steps == len(bowl.made) <= 100


def test_the_rate_rises_faster_while_nothing_happens() -> None:
    bowl = Bowl(steep=1.0)
    tried(bowl)
    ratios = [b / a for a, b in zip(bowl.made, bowl.made[1:30], strict=False)]
    assert max(ratios[:8]) == pytest.approx(10 ** (1 / 3))
    assert all(1 < ratio < 1.8 for ratio in ratios[15:25])


def test_the_users_rate_is_among_those_tried() -> None:
    assert Span.of("AdamW", 1e-3, 40).high == 1.0
    assert Span.of("AdamW", 5.0, 40).high == 15.0
    assert Span.of("SGD", 1e-3, 40).high == 100.0
    assert Span.of("SGD", 1e-6, 40).low == 1e-7


def test_a_curve_of_few_points_shows_nothing() -> None:
    points = [Point(10.0**n, exp(-n), exp(-n)) for n in range(4)]
    assert not curve.read(points, 1.0).falls


def test_batches_hold_no_row_twice() -> None:
    chosen = batches.groups(100, 8, 40)
    rows = [row for group in chosen for row in group]
    assert len(chosen) == 12
    assert len(rows) == len(set(rows)) == 96
    assert batches.groups(5, 8, 40) == [tuple(batches.groups(5, 8, 40)[0])]
    assert sorted(batches.groups(5, 8, 40)[0]) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("batch", "run", "rows", "gathered", "noted"),
    [(8, 8, 8, 1, False), (8, 32, 32, 4, False), (8, 512, 64, 8, True), (256, 256, 64, 1, True)],
)
def test_accumulation_is_kept_as_far_as_there_is_room(
    batch: int, run: int, rows: int, gathered: int, noted: bool
) -> None:
    sizes = Sizes.of(batch, run)
    assert (sizes.rows, sizes.gathered, sizes.note is not None) == (rows, gathered, noted)

"""What the curves and what was seen beside them amount to; no framework."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite

from pipedoctor.facts.overfit import CANNOT, INCONCLUSIVE, LEARNS, SLOWLY, Curve
from pipedoctor.facts.step import Move
from pipedoctor.frameworks.learning import rules
from pipedoctor.frameworks.learning.rules import Way

UNPLANNED = 10_000.0
"""Where nobody knows how many steps the run has, a rate that needs more than this is too low."""

SMOKE = 30
"""A run of fewer steps is a trial, in which nobody expects anything to be learned."""

NEAR = 3.0
"""So far off may be how many steps a batch takes, told from the first few: no verdict rests on less."""

ENOUGH = 15
"""After so many updates without a fall at any rate, there is none."""

ALIKE = 1e-5
"""Answers that are apart by less than this share of their size are the same but for rounding."""

NOISE = 0.03
"""A loss that differs by more than this from pass to pass may hide what is learned in a few steps."""

DECAYED = 0.01
"""A step that takes more than this off each weight wins against most gradients."""

STRANGLED = 0.1
"""One that takes more than this off leaves no weight larger than ten steps have made it."""

ALONE = 0.02
"""A control that is higher by less than this share of what was learned shows no dependence."""


@dataclass
class Seen:
    """What was looked at beside the curves; None where it was not, or can't be told."""

    trainable: int = 0
    connected: bool = True
    held: int = 0
    """How many of the trainable parameters the user's optimizer holds."""
    missing: Mapping[str, int] = field(default_factory=dict)
    first: Mapping[str, float | None] = field(default_factory=dict)
    """The norm of each gradient before the first update; None where there was none."""
    last: Mapping[str, float | None] = field(default_factory=dict)
    """The same before the last one: by then no gradient is zero for zeros that weights began with."""
    moves: Mapping[str, Move] = field(default_factory=dict)
    rates: tuple[float, ...] = ()
    decay: float = 0.0
    """What a step takes off each weight: the rate times the weight decay, where that is large."""
    adam: bool = False
    labels_matter: bool | None = None
    inputs_matter: bool | None = None
    control: float | None = None
    counted: int | None = None
    ignored: float = 0.0
    paired: bool | None = None
    """Whether it matters to the loss which row has which label."""
    spread: float | None = None
    """How far the answers to the rows are apart after the last attempt, relative to their size."""
    apart: tuple[tuple[float, float], tuple[float, float]] | None = None
    """The ranges of answers and labels where, after training too, all answers lie beyond all labels."""
    far: tuple[tuple[float, float], tuple[float, float]] | None = None
    """The same before any training: then most of what is learned first is where the labels are."""
    negated: bool = False
    """Whether the loss is minus one that is known."""
    noise: float | None = None
    """How much two losses of the same batch and weights differ, as a share of the larger one."""
    alike: bool = False
    """Whether all labels of the batch are the same."""
    others: bool = False
    """Whether the data is known to hold others then."""
    dead: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Layers, with how many of their units are 0 for all rows, of how many."""
    broadcast: tuple[tuple[int, ...], tuple[int, ...]] | None = None
    """The shapes of answer and labels that the loss made a square of."""
    equal: tuple[str, ...] = ()
    """Weights all of whose rows are equal, so that their units stay equal."""
    strangers: tuple[str, ...] = ()
    warmup: int = 0
    factor: float | None = None
    """The mean of the schedule's factor over the run."""
    planned: float | None = None
    total: int | None = None
    spent: tuple[str, int] | None = None
    """A schedule of the user's own, and the early step from which on it leaves nothing of the rate."""

    @property
    def moved(self) -> bool:
        """Whether the user's first update changed anything."""
        return not self.moves or any(move.moved for move in self.moves.values())

    @property
    def gradients_zero(self) -> bool:
        """Whether all gradients are exactly zero, after updates too."""
        norms = [n for n in (self.last or self.first).values() if n is not None]
        return bool(norms) and not any(norms)

    @property
    def answers_alike(self) -> bool:
        """Whether all rows get the same answer, after training too."""
        return self.spread is not None and self.spread < ALIKE

    @property
    def hopeless(self) -> bool:
        """Whether it is settled that no rate would help."""
        if self.negated:
            return True
        settled = not self.trainable or not self.connected or self.counted == 0
        return settled or self.labels_matter is False


@dataclass(frozen=True)
class Judged:
    """The verdict, and about how many steps the batch takes at the user's own rate."""

    verdict: str
    needed: float | None = None
    note: str = ""


def judge(curves: Sequence[Curve], way: Way, seen: Seen, *, late: bool) -> Judged:
    """Return what is to be said."""
    own = curves[0]
    if not isfinite(own.losses[0]) or seen.hopeless:
        return Judged(CANNOT)
    proof = next((curve for curve in curves if curve.reached), None)
    if proof is None:
        return _unproved(curves, way, seen, late=late)
    if not seen.moved or not seen.held or own.diverged:
        return Judged(CANNOT)
    if seen.decay >= STRANGLED and not own.reached:
        return Judged(CANNOT)
    steps = float(own.updates) if own.reached else _needed(own, proof, way, seen)
    if seen.planned is not None and seen.total is not None and seen.total < SMOKE:
        note = f"the run has {seen.total} steps only: whether its rate is enough is not judged"
        return Judged(LEARNS, steps, note)
    planned = UNPLANNED if seen.planned is None else seen.planned
    if steps <= NEAR * planned:
        return Judged(LEARNS, steps)
    if seen.decay >= DECAYED:
        return Judged(CANNOT)
    if rules.wild(own.losses, way) or max(own.losses) > own.losses[0] + 0.05 * abs(own.losses[0]):
        return Judged(CANNOT)
    return Judged(SLOWLY, steps)


def depends(loss: float, control: float | None, way: Way) -> bool:
    """Whether the learned weights tell the rows apart: other labels cost more then."""
    if control is None:
        return True
    return control - loss > ALONE * max(way.base - loss, 1e-9)


def _needed(own: Curve, proof: Curve, way: Way, seen: Seen) -> float:
    """Return about how many steps the goal takes at the user's own rate."""
    steps = rules.needed(own.losses, way)
    rate = max(seen.rates, default=0.0)
    if seen.adam and rate > 0 and seen.decay < DECAYED and _alike(own, proof, rate):
        # Each step of Adam is about as long as the rate, so the way is as long at any rate.
        steps = min(steps, proof.updates * proof.rate / rate)
    return steps


def _alike(own: Curve, proof: Curve, rate: float) -> bool:
    """Whether the loss falls by as much for each bit of the way, but for a factor of 20."""
    each = (
        (curve.losses[0] - curve.losses[-1]) / max(1, curve.updates) / size
        for curve, size in ((own, rate), (proof, proof.rate))
    )
    slow, fast = each
    return slow > 0 and slow >= 0.05 * fast


def _unproved(curves: Sequence[Curve], way: Way, seen: Seen, *, late: bool) -> Judged:
    """Return the verdict where no rate brought the batch to its goal."""
    if seen.alike and seen.others:
        return Judged(INCONCLUSIVE)  # it is the draw that leaves nothing to be learned
    if not way.open:
        return Judged(CANNOT)
    if seen.gradients_zero or seen.inputs_matter is False or seen.answers_alike:
        return Judged(CANNOT)
    if seen.paired is False:
        return Judged(CANNOT)
    if late:
        return Judged(INCONCLUSIVE)
    if seen.broadcast is not None or seen.dead or seen.equal:
        return Judged(CANNOT)
    if seen.far is not None:
        return Judged(INCONCLUSIVE)
    updates = sum(curve.updates for curve in curves)
    if updates >= ENOUGH and all(rules.flat(curve.losses, way) for curve in curves):
        return Judged(CANNOT)
    return Judged(INCONCLUSIVE)


def softened(judged: Judged, curves: Sequence[Curve], way: Way, *, explained: bool) -> Judged:
    """Return the verdict once it is known whether it has a reason: without one, a fall leaves it open."""
    if judged.verdict != CANNOT or explained:
        return judged
    falling = any(rules.falling(curve.losses, way) for curve in curves)
    return Judged(INCONCLUSIVE, note="the loss was still falling") if falling else judged

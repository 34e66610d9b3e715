"""How many rows are learned, until when, with which optimizer and rate; no framework."""

from __future__ import annotations

from dataclasses import dataclass

from pipedoctor.clock import Clock
from pipedoctor.fact import Unavailable
from pipedoctor.facts.overfit import Overfit
from pipedoctor.pipeline import Pipeline

SHARE = 0.4
"""The share of the time that is left that may be spent."""

QUICK = 60
"""Where a batch takes more steps than this at the user's rate, AdamW takes its place."""

GENTLER = 4.0
"""A single batch bears a rate that is too high for many different ones."""


@dataclass(frozen=True)
class Chosen:
    """The optimizer and its rate; the user's own if `own`."""

    name: str
    rate: float
    own: bool


def wished(pipeline: Pipeline) -> int:
    """
    Return how many rows were asked for.

    Raises:
        Unavailable: None were.

    """
    rows = int((pipeline.parts.get("overfit") or {}).get("rows") or 0)
    if not rows:
        raise Unavailable("a training on some hundred rows was not asked for; --learnability does")
    return rows


def until(pipeline: Pipeline) -> float:
    """Return when to stop, on the monotonic clock."""
    return Clock.of(pipeline.parts.get("run"), SHARE).soft


def chosen(overfit: Overfit) -> Chosen:
    """
    Return what learns, by what came of one batch.

    Raises:
        Unavailable: Nothing does.

    """
    own = overfit.own
    quick = overfit.needed is not None and overfit.needed <= QUICK
    if own is not None and (own.reached or (overfit.learns and quick)):
        return Chosen(own.optimizer, own.rate, own=True)
    proof = next((curve for curve in overfit.curves if curve.reached), None)
    if proof is None:
        raise Unavailable("not even one batch was learned, so that more rows would tell nothing")
    return Chosen(proof.optimizer, proof.rate / GENTLER, own=False)

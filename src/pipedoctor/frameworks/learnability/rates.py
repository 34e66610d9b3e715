"""With which optimizer and rate some hundred rows are learned; no framework."""

from __future__ import annotations

from dataclasses import dataclass

from pipedoctor.fact import Unavailable
from pipedoctor.facts.overfit import Overfit

SHARE = 0.4
"""The share of the time limit that may be spent."""

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

"""Whether a loop's weights have outgrown themselves while its loss stayed where it began."""

from __future__ import annotations

from math import isfinite, log
from statistics import median

from pipedoctor.fact import Unavailable
from pipedoctor.facts.overfit import Curve
from pipedoctor.facts.short_runs import ShortRuns
from pipedoctor.frameworks.loops.recording import Recording, Stepped, sample

ENOUGH = 40
"""After fewer steps nothing is said of the loss."""

SMALLEST = 64
"""Matrices with fewer elements are not asked."""

GROWN = 10.0
"""
How many times as large as at the start the matrices are.

Networks of convolutions, of three layers and of one were at most 8 times as large after 200 steps
where they learned best, and 12 times and more at rates at which they learned nothing.
"""

LAST = 10


def tried(recording: Recording) -> ShortRuns:
    """
    Return the loop as a trial of its own rate.

    Raises:
        Unavailable: The loop is too short for that, or steps several optimizers.

    """
    if len(recording.optimizers) != 1:
        raise Unavailable("a loop with several optimizers does not tell what their rates come to")
    stepped = recording.optimizers[0]
    losses = [step.loss for step in recording.steps if step.loss is not None]
    rates = [step.rate for step in recording.steps if step.rate]
    if len(losses) < ENOUGH or not rates:
        raise Unavailable(
            f"the loop was watched for {len(losses)} steps, which is too few for that"
        )
    sizes = _grown(stepped)
    if not sizes:
        raise Unavailable("no weight matrix is trained")
    name, grown = type(stepped.optimizer).__name__, median(sizes)
    if any(loss < 0 for loss in losses) or not grown > GROWN or not isfinite(grown):
        return ShortRuns(grown, len(sizes), max(rates), name, of_loop=True)
    base = min(losses[0], _of_guessing(recording, losses[0]))
    last = sum(losses[-LAST:]) / LAST
    curve = Curve(name, max(rates), tuple(losses), own=True, goal=base, reached=last < base)
    return ShortRuns(
        grown, len(sizes), max(rates), name, (curve,), base=base, of_loop=True, where=stepped.where
    )


def _of_guessing(recording: Recording, first: float) -> float:
    """Return the loss of guessing all classes alike, if the first one is like that; else the first."""
    terms = list(recording.terms.values())
    if len(terms) != 1 or terms[0].kind != "cross_entropy" or not (terms[0].classes or 0) > 1:
        return first
    even = log(terms[0].classes or 1)
    # A loss that is summed over rows, or divided by something, is none to compare with.
    return even if 0.5 * even < first < 2 * even else first


def _grown(stepped: Stepped) -> list[float]:
    """Return how many times as large as before the first step each matrix is."""
    found = []
    for parameter, before in stepped.before.values():
        if parameter.ndim < 2 or parameter.numel() < SMALLEST or not before.is_floating_point():
            continue
        size = float(before.float().norm())
        if size > 0:  # what starts at zero on purpose has no size to compare with
            found.append(float(sample(parameter).float().norm()) / size)
    return found

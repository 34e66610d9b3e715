"""Why the user's own optimizer does not learn a batch that another one learns; no framework."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from pipedoctor.facts.gradients import layer_of, places, summarised
from pipedoctor.facts.overfit import Curve, Reason
from pipedoctor.frameworks.learning import rules
from pipedoctor.frameworks.learning.rules import Way
from pipedoctor.frameworks.learning.verdicts import DECAYED, Judged, Seen
from pipedoctor.units import count, plural
from pipedoctor.units import rate as written


def of_the_optimizer(own: Curve, proof: Curve, way: Way, seen: Seen) -> Iterator[Reason]:
    """Yield why the user's own optimizer fails where another one learns the batch."""
    otherwise = (
        f"AdamW at {written(proof.rate)} learns the batch in {plural(proof.updates, 'update')}"
    )
    rate = max(seen.rates, default=own.rate)
    if seen.missing and not seen.held:
        yield _not_held(seen, otherwise)
    elif rate == 0:
        yield Reason(
            "rate-zero",
            f"the learning rate of {own.optimizer} is 0: no weight moves; {otherwise}",
            f"set the learning rate, to {written(proof.rate)} for a start",
            evidence={"rate": rate},
        )
    elif not seen.moved:
        kinds = sorted({move.dtype for move in seen.moves.values()})
        yield Reason(
            "updates-rounded-away",
            f"an update of {own.optimizer} at {written(rate)} changes no element of any parameter: "
            f"{' and '.join(kinds)} can't hold so small a change; {otherwise}",
            "keep the weights in float32 and train with bf16=True (autocast), or raise the "
            "learning rate",
            "GRD011",
            evidence={"rate": rate, "dtypes": kinds},
        )
    elif seen.decay >= DECAYED:
        yield Reason(
            "weight-decay-wins",
            f"weight decay takes {seen.decay:.1%} off each weight in every step; {otherwise}",
            "set weight_decay to 0.01",
            evidence={"decay": seen.decay, "rate": rate},
        )
    elif own.diverged or rules.wild(own.losses, way) or max(own.losses) > own.losses[0]:
        yield Reason(
            "rate-too-high",
            f"at {written(rate)} the loss goes from {own.losses[0]:.4g} to {own.losses[-1]:.4g} in "
            f"{plural(own.updates, 'update')} of {own.optimizer}; {otherwise}",
            f"set the learning rate to {written(min(proof.rate, rate / 10))} or less, and find the best "
            "one by trying",
            "HYP001",
            evidence={"rate": rate, "learned_with": proof.rate},
        )
    if seen.missing and seen.held:
        yield _not_held(seen, otherwise)


def _not_held(seen: Seen, otherwise: str) -> Reason:
    names = tuple(seen.missing)
    return Reason(
        "not-in-the-optimizer",
        f"the optimizer holds {count(seen.held)} of {count(seen.trainable)} trainable parameters; "
        f"{summarised(places(names, ()))} stay as they are; {otherwise}",
        "make the optimizer of model.parameters(), after the last layer was put in",
        "GRD004",
        layer=layer_of(names[0]),
        evidence={"missing": len(names)},
    )


def of_slowness(own: Curve, proof: Curve, seen: Seen, judged: Judged) -> Iterator[Reason]:
    """Yield why the user's own rate takes more steps than the run has."""
    rate = max(seen.rates, default=own.rate)
    otherwise = f"AdamW at {written(proof.rate)} learns it in {plural(proof.updates, 'update')}"
    if seen.missing:
        yield _not_held(seen, otherwise)
    steps = judged.needed
    far = (
        "more steps than can be told"
        if steps is None or not isfinite(steps)
        else (f"about {count(round(steps))} steps")
    )
    run = "" if seen.total is None else f"; the run has {count(seen.total)}"
    if seen.total is not None and seen.factor is not None and seen.factor < 0.2:
        run += f", in which the schedule leaves {seen.factor:.1%} of the rate on average"
    if seen.warmup and seen.total is not None and seen.warmup >= seen.total:
        yield Reason(
            "warm-up-never-ends",
            f"warm-up takes {count(seen.warmup)} of {count(seen.total)} steps, so that the rate "
            f"stays below {written(rate)}; the batch would take {far} of the full rate, and {otherwise}",
            f"set warmup_steps to {count(seen.total // 10)}, a tenth of the run",
            "HYP003",
            evidence={"warmup_steps": seen.warmup, "total_steps": seen.total},
        )
        return
    if seen.spent is not None:
        name, step = seen.spent
        yield Reason(
            "schedule-spent",
            f"{name} is stepped after each update, and leaves less than a thousandth of the rate from "
            f"step {count(step)} of {count(seen.total or 0)} on; the batch would take {far} of the full "
            f"rate, and {otherwise}",
            "make the schedule for the steps of the run, not for its epochs: "
            "transformers.get_linear_schedule_with_warmup(optimizer, 0, "
            f"{seen.total}), or leave it to lr_scheduler_type",
            "HYP011",
            evidence={"schedule": name, "spent": step, "total_steps": seen.total},
        )
        return
    yield Reason(
        "rate-too-low",
        f"at {written(rate)} {own.optimizer} would take {far} for this batch alone{run}; {otherwise}",
        f"raise the learning rate, to {written(_higher(rate, proof, steps, seen.total))} for a start",
        "HYP010",
        evidence={"rate": rate, "needed": steps, "total_steps": seen.total},
    )


def _higher(rate: float, proof: Curve, steps: float | None, total: int | None) -> float:
    """Return a rate to start with: one that the run is long enough for, and no trial's highest."""
    wanted = proof.rate / 10
    if steps is not None and isfinite(steps) and total:
        wanted = max(wanted, rate * steps / total)
    return min(proof.rate, wanted)

"""The first steps of a training loop, as they happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite

from pipedoctor.fact import UNKNOWN, Fact
from pipedoctor.finding import NOWHERE, Location

WHOLE = ("it ended", "it raised", "the script ")
"""The words with which `ended` begins where a loop was watched to its end."""


@dataclass(frozen=True)
class Term:
    """
    A part of the loss: what was compared with what, as the graph of the loss tells it.

    `kind` is the loss function ("cross_entropy", "nll", "bce", "bce_with_logits", "mse",
    "smooth_l1", "huber"), or "difference" for one written by hand. `fed_by` are the operations
    that made the prediction, the last first: ("softmax", "linear"). `broadcast` is the shape that
    both were blown up to, where neither had it before. `low` and `high` are the extremes of the
    targets in all steps that were looked at.
    """

    kind: str
    prediction: tuple[int, ...]
    target: tuple[int, ...] | None = None
    fed_by: tuple[str, ...] = ()
    broadcast: tuple[int, ...] | None = None
    classes: int | None = None
    low: float | None = None
    high: float | None = None
    where: Location = NOWHERE
    """The line that called for its gradient."""


@dataclass(frozen=True)
class LoopStep:
    """
    One step of an optimizer, counted from 1 over all of them.

    `loss` is the last that was differentiated before it. `norm` is that of the whole gradient it
    was made with, None where there was none. `stale` counts the parameters whose gradient still
    held that of the step before, None where that was not looked at. `cleared` says that gradients
    were computed since the last step and none of them was left.
    """

    number: int
    optimizer: int
    backwards: int
    loss: float | None = None
    norm: float | None = None
    rate: float | None = None
    stale: int | None = None
    cleared: bool = False


@dataclass(frozen=True)
class Mode:
    """
    In which mode a model was while it computed the losses of the steps.

    `steps` counts the steps that it took part in, `in_eval` those for which it was in evaluation
    mode each time, and `since` the step from which on that was so to the end, None if it was not.
    `layers` names the layers which do something else then, `idle` counts its layers of batch
    normalisation whose statistics are still those it was made with.
    """

    model: str
    steps: int
    in_eval: int
    since: int | None = None
    layers: tuple[str, ...] = ()
    idle: int = 0


@dataclass(frozen=True)
class Stepper:
    """An optimizer of the loop: its kind, the name of its variable, and where it was stepped."""

    name: str
    variable: str
    steps: int
    where: Location = NOWHERE


@dataclass(frozen=True)
class Pace:
    """A schedule of learning rates: how often it was stepped, and in which steps it was there."""

    name: str
    variable: str
    calls: int
    steps: int
    first_rate: float
    last_rate: float
    spent: int = 0
    """The steps made with less than a thousandth of the first rate."""
    ends: int | None = None
    """After so many of its steps a cosine is at its end, from where it rises again."""
    epoch: int | None = None
    """How many steps of the optimizer a pass over the data takes."""
    halfway: float | None = None
    """The share of its rate that would be left after half of a pass, one of its steps for each."""


@dataclass(frozen=True, repr=False, eq=False)
class Loop(Fact):
    """
    What was seen of a training loop that is the script's own, until it was stopped.

    `backward` is the line that differentiates, `step` the one that steps. `ended` are words that
    follow "it was watched until". `unmoved` are the parameters, of those that got a gradient, of
    which no looked-at element has changed over all steps; `dtypes` of which dtype each is.
    """

    doing = "Watching the first steps of the loop"

    steps: tuple[LoopStep, ...]
    backwards: int
    optimizers: tuple[Stepper, ...]
    modes: tuple[Mode, ...] = ()
    terms: tuple[Term, ...] = ()
    paces: tuple[Pace, ...] = ()
    shapes: tuple[tuple[int, ...], ...] = ()
    """The shapes of what the model was given for the first loss."""
    backward: Location = NOWHERE
    step: Location = NOWHERE
    ended: str = ""
    seconds: float = UNKNOWN
    unmoved: tuple[str, ...] = ()
    moved: int = UNKNOWN
    dtypes: Mapping[str, str] = field(default_factory=dict)

    @property
    def losses(self) -> tuple[float, ...]:
        """The losses of the steps, as far as they are known."""
        return tuple(step.loss for step in self.steps if step.loss is not None)

    def summary(self) -> Mapping[str, object]:
        """Tell what was watched: proof that it ran."""
        told: dict[str, object] = {"steps": len(self.steps), "backwards": self.backwards}
        losses = self.losses
        for name, values in (("first_loss", losses[:1]), ("last_loss", losses[-1:])):
            for value in values:
                told[name] = value if isfinite(value) else str(value)
        return told | {"ended": self.ended, "whole": self.ended.startswith(WHOLE)}

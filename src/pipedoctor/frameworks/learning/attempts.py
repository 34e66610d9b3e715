"""
What is tried, in which order, and when it is enough; no framework.

First the user's own optimizer at its own rate. If that proves learning, all is well. If the loss
falls too slowly for a few steps to show it, or not at all, AdamW is tried at rates that most
networks learn a single batch with: a pipeline that learns then is held back by its optimizer or
its rate; one that does not is broken somewhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from pipedoctor.clock import Clock
from pipedoctor.facts.overfit import Curve
from pipedoctor.frameworks.learning import rules
from pipedoctor.frameworks.learning.rules import Way

FIRST, HIGHER, LOWER = 1e-3, 1e-2, 1e-4
"""
The rates of AdamW that are tried.

BERT-small learns 8 rows in 4 updates at 5e-4, in 3 at 1e-3; a head alone, on a frozen body, takes
38 at 1e-3; pretrained encoders want less.
"""

HIGHEST = 1e-1
"""For a batch of numbers that the answers have to travel to, before it shows what is learned."""

AIM = 6
"""Where the user's own curve falls, the first other rate is the one that takes so many updates."""

OWN_LEAST, OWN_MOST = 4, 12
"""At its own rate a pipeline has so many updates, more only if the goal is in sight."""

LEAST, MOST = 8, 16
"""The same for the other rates."""


class Learner(Protocol):
    """What trains on the batch; each framework has one."""

    def begin(self, optimizer: str | None, rate: float | None) -> None:
        """Go back to where all stood, with the user's own optimizer (None) or another."""

    def loss(self) -> float:
        """Compute the loss of the batch."""

    def update(self) -> None:
        """Make one update from the loss that was computed last."""

    @property
    def stuck(self) -> bool:
        """Whether no update can change the loss: nothing is trained, or it depends on nothing."""


@dataclass
class Attempts:
    """
    The attempts on one batch; `most` bounds the updates of all together.

    `way` makes the way to go, given the first loss. `confirm` is asked, with the last loss, whether
    the weights that reached the goal tell the rows apart.
    """

    learner: Learner
    way: Callable[[float], Way]
    confirm: Callable[[float], bool] = lambda _loss: True
    most: int = 50
    clock: Clock = field(default_factory=Clock)
    curves: list[Curve] = field(default_factory=list)
    late: bool = False
    far: Callable[[], bool] = lambda: False
    """Whether the answers are still on their way to where the labels are."""

    def run(self, name: str, rate: float, *, hopeless: Callable[[], bool] | None = None) -> None:
        """Try until one curve proves learning, or nothing is left to try."""
        own = self._attempt(name, rate, own=True)
        self.late = self.late or not (own.reached or self.clock.fits())
        if own.reached or self.late or (hopeless is not None and hopeless()):
            return
        way = self.way(own.losses[0])
        if not way.open:
            return
        tried = _first(own, way) if "adam" in name.lower() else FIRST
        first = self._attempt("AdamW", tried)
        if first.reached or self.late:
            return
        wild = rules.wild(first.losses, way)
        last = HIGHEST if self.far() else LOWER
        for other in (tried / 10, HIGHER) if wild else (max(HIGHER, tried * 3), last):
            if self.left < 2 or self._attempt("AdamW", other).reached or self.late:
                return

    @property
    def left(self) -> int:
        """How many updates may still be made."""
        return self.most - sum(curve.updates for curve in self.curves)

    def _attempt(self, name: str, rate: float, *, own: bool = False) -> Curve:
        least, most = (OWN_LEAST, OWN_MOST) if own else (LEAST, MOST)
        self.learner.begin(None if own else name, None if own else rate)
        self.clock.start()
        losses = [self.learner.loss()]
        way = self.way(losses[0])
        while not self._enough(losses, way, least, min(most, self.left)):
            self.learner.update()
            losses.append(self.learner.loss())
        curve = Curve(
            name,
            rate,
            tuple(losses),
            own=own,
            goal=way.goal if way.open else None,
            reached=rules.reached(losses, way) and way.open and self.confirm(losses[-1]),
            diverged=rules.diverged(losses, way),
        )
        self.curves.append(curve)
        return curve

    def _enough(self, losses: list[float], way: Way, least: int, most: int) -> bool:
        self.late = self.late or self.clock.over()
        made = len(losses) - 1
        if self.late or made >= most or self.learner.stuck or rules.diverged(losses, way):
            return True
        if rules.reached(losses, way):
            return True
        return made >= least and made + rules.left(losses, way) + 1 > most


def _first(own: Curve, way: Way) -> float:
    """Return the rate to try first after Adam at the user's: a way takes rate times updates."""
    steps = rules.needed(own.losses, way)
    if own.rate <= 0 or own.diverged or steps == float("inf"):
        return FIRST
    return min(HIGHER, max(LOWER, float(f"{own.rate * min(max(steps / AIM, 2.0), 100.0):.0e}")))

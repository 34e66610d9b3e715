"""The facts `Overfit` and `Step` of a pipeline of torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

from pipedoctor.clock import Clock
from pipedoctor.fact import Fact, Split, Unavailable
from pipedoctor.facts.labels import Labels
from pipedoctor.facts.overfit import CANNOT, Overfit
from pipedoctor.facts.settings import Settings
from pipedoctor.facts.step import Step as OneStep
from pipedoctor.frameworks.data.batches import Batches, Collated, of_rows
from pipedoctor.frameworks.learning import choosing, setting
from pipedoctor.frameworks.learning.attempts import Attempts
from pipedoctor.frameworks.learning.beforehand import beforehand
from pipedoctor.frameworks.learning.comparing import differ, same
from pipedoctor.frameworks.learning.reasons import reasons
from pipedoctor.frameworks.learning.rules import Way
from pipedoctor.frameworks.learning.torch_learner import (
    TorchLearner,
)
from pipedoctor.frameworks.learning.torch_looks import Look, equal_weights
from pipedoctor.frameworks.learning.verdicts import Seen, depends, judge, softened
from pipedoctor.frameworks.restoring.digests import digest
from pipedoctor.frameworks.training import graph
from pipedoctor.pipeline import Pipeline

PASSES = 3
"""Two passes through a noisy model may agree by chance; so many more hardly do."""

STEPS = 50
"""So many updates are made at most, where nobody asks for more or less."""

OnDevice = Callable[[Mapping[str, Any], Any], dict[str, Any]]


@dataclass(frozen=True, repr=False, eq=False)
class Learned(Fact):
    """Both facts that one search measures; not for checks."""

    doing = "Training on one batch"

    overfit: Overfit
    step: OneStep | None


def measure(pipeline: Pipeline, model: Any, on_device: OnDevice) -> Learned:
    """Train on one batch, find out why it is not learned if it is not, and put all back."""
    setting.alone(model)
    search = Search(pipeline, model, on_device)
    before = digest(model, search.optimizer)
    learned = search.run()
    after = digest(model, search.optimizer)
    overfit = replace(learned.overfit, restored=before == after, digest=after)
    return replace(learned, overfit=overfit)


class Search:
    """One search: the batch, the optimizer, and what has to be told beside the verdict."""

    def __init__(self, pipeline: Pipeline, model: Any, on_device: OnDevice) -> None:
        """Choose the batch and the optimizer; nothing is trained yet."""
        self._pipeline = pipeline
        self._model = model
        self._settings = pipeline.optional(Settings)
        self._notes: list[str] = []
        wishes: Mapping[str, Any] = pipeline.parts.get("overfit") or {}
        self._most = int(wishes.get("steps") or STEPS)
        self._clock = Clock.of(pipeline.parts.get("run"))
        self._batch, self._classes = self._chosen()
        inputs = on_device(self._batch.arrays, model)
        self._look = Look.at(inputs, setting.label_names(pipeline))
        self.optimizer = setting.optimizer(pipeline, model, self._notes)

    def run(self) -> Learned:
        """Make the attempts and judge them."""
        pipeline, model = self._pipeline, self._model
        inputs = self._look.inputs
        with setting.learning(pipeline, model, self.optimizer, inputs, self._notes) as learner:
            return self._judged(learner)

    def _judged(self, learner: TorchLearner) -> Learned:
        seen = beforehand(self._pipeline, self._model, self.optimizer)
        seen.counted, seen.ignored = self._look.ignored
        seen.alike = self._look.alike
        # Rows that are known to hold several labels, and give a batch of one, lost them on the way.
        held = self._classes is not None and self._classes[0] > 1
        seen.others = not held and choosing.varied(self._pipeline.optional(Labels, Split.TRAIN))
        bounds: list[Any] = []
        starts: list[float] = []

        def way(start: float) -> Way:
            if not bounds:
                starts.append(start)
                smoothing = self._setting("label_smoothing_factor")
                number = float(smoothing) if isinstance(smoothing, (int, float)) else 0.0
                bounds.append(self._look.bounds(start, learner.answer, number, learner.asked))
                seen.negated = bounds[0].negated
                seen.far = self._look.apart(learner.answer)
            return Way.of(start, bounds[0].floor, bounds[0].chance)

        def confirm(loss: float) -> bool:
            self._after(learner, seen, loss, starts[0])
            return depends(loss, seen.control, way(starts[0]))

        attempts = Attempts(learner, way, confirm, self._most, self._clock)
        attempts.far = lambda: self._look.apart(learner.answer) is not None
        name = type(self.optimizer).__name__
        rate = max(seen.rates, default=0.0)

        def hopeless() -> bool:
            self._during(learner, seen)
            return seen.hopeless or (seen.gradients_zero and seen.held > 0)

        attempts.run(name, rate, hopeless=hopeless)
        curves, start = attempts.curves, way(attempts.curves[0].losses[0])
        if not curves[-1].reached:
            self._after(learner, seen, curves[-1].losses[-1], starts[0])
        judged = judge(curves, start, seen, late=attempts.late)
        if judged.verdict == CANNOT:
            seen.equal = equal_weights(self._model)
        told = reasons(curves, start, seen, judged)
        judged = softened(judged, curves, start, explained=bool(told))
        if judged.note:
            self._notes.append(judged.note)
        overfit = Overfit(
            verdict=judged.verdict,
            curves=tuple(curves),
            rows=self._batch.rows,
            reasons=told,
            floor=start.floor,
            parts=bounds[0].parts,
            chance=start.chance,
            ignored=seen.ignored,
            classes=self._classes,
            control=seen.control,
            needed=judged.needed,
            planned=seen.planned,
            notes=tuple(self._notes),
            cut=self._clock.told() if attempts.late else "",
        )
        step = OneStep(learner.moves, name, seen.rates) if learner.moves else None
        return Learned(overfit, step)

    def _during(self, learner: TorchLearner, seen: Seen) -> None:
        """Look at what the user's own attempt left, before another one is made."""
        seen.connected = not learner.stuck
        seen.first, seen.last, seen.moves = learner.first, dict(learner.last), learner.moves
        seen.broadcast = learner.broadcast
        seen.dead = {n: found for n, found in learner.dead.items() if learner.inactive(n)}
        other = self._look.relabelled()
        if other is not None and seen.counted != 0 and seen.connected:
            learner.begin(None, None)
            first = learner.pull(self._look.inputs)
            seen.labels_matter = differ(first, learner.pull(other))
            seen.noise = self._noise(learner, first[0])
        names = graph.unregistered(self._model)
        seen.strangers = tuple(name for name, _ in names.values())

    def _noise(self, learner: TorchLearner, first: float) -> float | None:
        """Return how far losses of the same batch and weights are apart, relative to the largest."""
        losses = [first, learner.without_graph(self._look.inputs)]
        if same(*losses):
            return 0.0
        losses += [learner.without_graph(self._look.inputs) for _ in range(PASSES)]
        if not all(map(isfinite, losses)):
            return None
        return (max(losses) - min(losses)) / max(*map(abs, losses), 1e-12)

    def _after(self, learner: TorchLearner, seen: Seen, loss: float, began: float) -> None:
        """Look at the weights of the last attempt: do they tell the rows apart."""
        seen.connected = not learner.stuck
        if learner.last:
            seen.first, seen.last, seen.moves = learner.first, learner.last, learner.moves
        if not seen.connected or not isfinite(loss):
            return
        seen.spread = self._look.spread(self._look.shown(learner.answer, learner.asked))
        seen.apart = self._look.apart(learner.answer)
        here = learner.without_graph(self._look.inputs)
        rolled, uniform = self._look.rolled(), self._look.uniform()
        if rolled is not None:
            seen.control = learner.without_graph(rolled)
            if seen.apart is None:  # else a distance tells nothing of pairs
                seen.paired = not same(here, seen.control, began)
        if uniform is not None:
            matter = not same(here, learner.without_graph(uniform), began)
            # Of a distance that is large, a float32 does not show what the rows add to it.
            seen.inputs_matter = True if matter else None if seen.apart else False

    def _chosen(self) -> tuple[Collated, tuple[int, int] | None]:
        first = self._pipeline.fact(Batches, Split.TRAIN).made[0]
        try:
            chosen, classes = choosing.rows(self._pipeline, first.rows)
            if chosen == first.rows:
                return first, classes
            return of_rows(self._pipeline, Split.TRAIN, chosen), classes
        except (Unavailable, TypeError, IndexError, KeyError):  # a stream has no rows by number
            self._notes.append("the batch is the first one of the data, which gives rows in order")
            return first, None

    def _setting(self, name: str) -> Any:
        return self._settings.get(name) if self._settings is not None else None

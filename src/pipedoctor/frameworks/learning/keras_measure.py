"""The facts `Overfit` and `Step` of a fit of Keras."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from math import isfinite
from typing import Any

from pipedoctor.clock import Clock
from pipedoctor.fact import Split, Unavailable
from pipedoctor.facts.compiled import Compiled
from pipedoctor.facts.inputs import Inputs
from pipedoctor.facts.layers import Layers
from pipedoctor.facts.learning_rate import LearningRate
from pipedoctor.facts.outputs import Outputs
from pipedoctor.facts.overfit import CANNOT, INCONCLUSIVE, LEARNS, Curve, Overfit, Reason
from pipedoctor.facts.schedule import Schedule
from pipedoctor.facts.step import Step
from pipedoctor.frameworks.fitting.building import Ready
from pipedoctor.frameworks.fitting.second_words import worded
from pipedoctor.frameworks.fitting.untouched import untouched
from pipedoctor.frameworks.learning import keras_choosing, keras_inputs, keras_reasons, keras_units
from pipedoctor.frameworks.learning.attempts import Attempts
from pipedoctor.frameworks.learning.comparing import differ, same
from pipedoctor.frameworks.learning.given_schedule import spent
from pipedoctor.frameworks.learning.keras_fitted import Fitted
from pipedoctor.frameworks.learning.keras_learner import KerasLearner, inner
from pipedoctor.frameworks.learning.keras_looks import KerasLook
from pipedoctor.frameworks.learning.keras_state import digest, without_dropout
from pipedoctor.frameworks.learning.reasons import reasons
from pipedoctor.frameworks.learning.rules import Way
from pipedoctor.frameworks.learning.verdicts import Judged, Seen, depends, judge, softened
from pipedoctor.frameworks.restoring.interrupts import held
from pipedoctor.pipeline import Pipeline

PASSES = 3
"""Two passes through a noisy model may agree by chance; so many more hardly do."""

STEPS = 50
"""So many updates are made at most, where nobody asks for more or less."""

LARGE_DECAY = 0.3
"""Weight decay up to this is usual; where a step still takes much off, the rate is to blame."""


def measure(pipeline: Pipeline) -> Fitted:
    """
    Train on one batch, find out why it is not learned if it is not, and put all back.

    Raises:
        Unavailable: The model is not compiled, or its step does not show what it would apply.
        Exception: What the step raises.

    """
    ready, compiled = pipeline.fact(Ready), pipeline.fact(Compiled)
    if inner(getattr(ready.model, "optimizer", None)) is None:
        raise Unavailable("the model is compiled without an optimizer")
    search = Search(pipeline, ready, compiled)
    before = digest(ready.model)
    found = search.run()
    after = digest(ready.model)
    return replace(found, overfit=replace(found.overfit, restored=before == after, digest=after))


class Search:
    """One search: the batch, the rate, and what has to be told beside the verdict."""

    def __init__(self, pipeline: Pipeline, ready: Ready, compiled: Compiled) -> None:
        """Draw the batch; nothing is trained yet."""
        self._pipeline = pipeline
        self._ready = ready
        self._compiled = compiled
        self._notes: list[str] = []
        wishes: Mapping[str, Any] = pipeline.parts.get("overfit") or {}
        self._most = int(wishes.get("steps") or STEPS)
        self._clock = Clock.of(pipeline.parts.get("run"))
        self._batch, self._classes = keras_choosing.batch(pipeline, self._notes)
        self._look = KerasLook(self._batch)
        self._rate, self._seen = self._beforehand()
        # Both are measured before anything moves; where they can't be, less is told.
        self._outputs = pipeline.optional(Outputs)
        self._layers = pipeline.optional(Layers)

    def run(self) -> Fitted:
        """Make the attempts and judge them."""
        model, compiled = self._ready.model, self._compiled
        own = compiled.own_train_step
        with ExitStack() as stack:
            stack.enter_context(held())
            stack.enter_context(untouched(model))
            if stack.enter_context(without_dropout(model)):
                self._notes.append("dropout is off, so that the curve shows learning and no noise")
            learner = KerasLearner(
                model, self._ready.library, self._batch, self._rate, own_step=own
            )
            return self._judged(learner)

    def _judged(self, learner: KerasLearner) -> Fitted:
        seen, bounds, starts = self._seen, list[Any](), list[float]()

        def way(start: float) -> Way:
            if not bounds:
                starts.append(start)
                answer = learner.answer()
                bounds.append(self._look.bounds(start, answer, self._smoothing()))
                seen.negated = bounds[0].negated
                seen.broadcast = self._look.broadcast(start, answer)
                seen.far = None if seen.alike else self._look.apart(answer)
            return Way.of(start, bounds[0].floor, bounds[0].chance)

        def confirm(loss: float) -> bool:
            self._after(learner, loss)
            # TensorFlow's losses look behind a softmax: they may fall while the answers stay.
            return not seen.answers_alike and depends(loss, seen.control, way(starts[0]))

        def hopeless() -> bool:
            self._during(learner)
            # Too high a rate drives probabilities to where a loss cuts them off: that comes later.
            zero = seen.gradients_zero and not any(seen.first.values())
            return seen.hopeless or (zero and seen.held > 0)

        attempts = Attempts(learner, way, confirm, self._most, self._clock)
        attempts.far = lambda: self._look.apart(learner.answer()) is not None
        name = self._compiled.optimizer
        attempts.run(name, max(seen.rates, default=0.0), hopeless=hopeless)
        curves, start = attempts.curves, way(attempts.curves[0].losses[0])
        if not curves[-1].reached:
            self._after(learner, curves[-1].losses[-1])
        judged = judge(curves, start, seen, late=attempts.late)
        built = tuple(keras_reasons.structural(self._outputs, self._layers))
        if judged.verdict == INCONCLUSIVE and built and not attempts.late:
            judged = Judged(CANNOT)  # what was not learned here has its fault in plain view
        if judged.verdict == CANNOT:
            seen.equal = keras_reasons.equal(self._layers, self._outputs)
        told, judged = self._explained(curves, start, judged, built)
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
            classes=self._classes,
            control=seen.control,
            needed=judged.needed,
            planned=seen.planned,
            notes=tuple(self._notes),
            cut=self._clock.told() if attempts.late else "",
        )
        return Fitted(overfit, Step(learner.moves, name, seen.rates) if learner.moves else None)

    def _explained(
        self, curves: list[Curve], way: Way, judged: Judged, built: tuple[Reason, ...]
    ) -> tuple[tuple[Reason, ...], Judged]:
        """Return the reasons, and the verdict that they leave."""
        proved = any(curve.reached for curve in curves)
        measured = reasons(curves, way, self._seen, judged)
        told = self._reasons(measured, built, judged, proved=proved)
        judged = softened(judged, curves, way, explained=bool(told))
        if judged.verdict in {CANNOT, INCONCLUSIVE} and not told:
            inputs = self._pipeline.optional(Inputs, Split.TRAIN)
            told = tuple(keras_inputs.unscaled(inputs, self._layers))
            if told and not proved:  # they make a beginning slow: so few updates prove no more
                judged = Judged(INCONCLUSIVE, note=judged.note)
        return told, judged

    def _reasons(
        self,
        told: tuple[Reason, ...],
        built: tuple[Reason, ...],
        judged: Judged,
        *,
        proved: bool,
    ) -> tuple[Reason, ...]:
        """Return the reasons in the words of Keras, with what its layers and outputs tell."""
        if judged.verdict == LEARNS:
            return ()
        explained = {kind for one in built for kind in keras_reasons.EXPLAINS.get(one.kind, ())}
        equal = not self._compiled.own_train_step and keras_reasons.expanding(self._ready.model)
        mine = tuple(
            keras_reasons.worded(one, expanded=equal) for one in told if one.kind not in explained
        )
        found = (*mine, *built) if proved or keras_reasons.of_seen(self._seen) else (*built, *mine)
        library = self._ready.library
        return tuple(replace(one, remedy=worded(one.remedy, library)) for one in found)

    def _during(self, learner: KerasLearner) -> None:
        """Look at what the user's own attempt left, before another one is made."""
        seen = self._seen
        seen.connected = not learner.stuck or not learner.trained
        seen.first, seen.last, seen.moves = learner.first, dict(learner.last), learner.moves
        learner.begin(None, None)
        seen.dead = keras_units.dead(self._ready.library, learner.answer)
        other = self._look.relabelled()
        if other is not None and seen.connected and learner.trained:
            learner.begin(None, None)
            first = learner.pull(self._batch)
            seen.labels_matter = differ(first, learner.pull(other))
            seen.noise = self._noise(learner, first[0])

    def _noise(self, learner: KerasLearner, first: float) -> float | None:
        """Return how far losses of the same batch and weights are apart, relative to the largest."""
        losses = [first, learner.without_update(self._batch)]
        if same(*losses):
            return 0.0
        losses += [learner.without_update(self._batch) for _ in range(PASSES)]
        if not all(map(isfinite, losses)):
            return None
        return (max(losses) - min(losses)) / max(*map(abs, losses), 1e-12)

    def _after(self, learner: KerasLearner, loss: float) -> None:
        """Look at the weights of the last attempt: do they tell the rows apart."""
        seen = self._seen
        seen.connected = not learner.stuck or not learner.trained
        if learner.last:
            seen.first, seen.last, seen.moves = learner.first, learner.last, learner.moves
        if not seen.connected or not isfinite(loss):
            return
        answer = learner.answer()
        seen.spread = self._look.spread(answer)
        here = learner.without_update(self._batch)
        rolled, uniform = self._look.rolled(), self._look.uniform()
        apart = self._look.apart(answer) is not None
        if rolled is not None:
            seen.control = learner.without_update(rolled)
            seen.paired = None if apart else not same(here, seen.control)
        if uniform is not None:
            matter = not same(here, learner.without_update(uniform))
            # Of a distance that is large, a float32 does not show what the rows add to it.
            seen.inputs_matter = True if matter else None if apart else False

    def _beforehand(self) -> tuple[float, Seen]:
        """Return the rate at its highest, and what is known without training."""
        pipeline, compiled = self._pipeline, self._compiled
        known = pipeline.optional(LearningRate)
        schedule = pipeline.optional(Schedule)
        rate = compiled.learning_rate if known is None else known.value
        if compiled.schedule:
            self._notes.append(
                f"the learning rate is the highest of {compiled.schedule}, unscheduled"
            )
        trained = len(self._ready.model.trainable_variables)
        stated = compiled.hyper.get("weight_decay")
        decay = float(stated) if isinstance(stated, (int, float)) else 0.0
        seen = Seen(
            trainable=trained,
            held=trained,
            rates=(rate,),
            decay=rate * decay if decay > LARGE_DECAY else 0.0,
            adam="adam" in compiled.optimizer.lower(),
            alike=self._look.alike,
            others=self._look.alike and keras_choosing.varied(pipeline),
        )
        if schedule is None or not schedule.known("total_steps"):
            return rate, seen
        seen.total, seen.planned = schedule.total_steps, float(schedule.total_steps)
        seen.warmup = schedule.warmup_steps if schedule.known("warmup_steps") else 0
        stated = compiled.schedule_parameters.get("warmup_steps") if compiled.schedule else None
        if isinstance(stated, int) and stated >= seen.total:
            seen.warmup = stated
        if known is not None and known.value > 0 and seen.total:
            early = spent(known.samples(), seen.total)
            seen.spent = None if early is None else (compiled.schedule or known.scheduler, early)
            seen.planned = known.reach / known.value
            seen.factor = seen.planned / seen.total
        return rate, seen

    def _smoothing(self) -> float:
        losses = self._compiled.losses if self._compiled.known("losses") else ()
        stated = losses[0].parameters.get("label_smoothing") if len(losses) == 1 else None
        return float(stated) if isinstance(stated, (int, float)) else 0.0

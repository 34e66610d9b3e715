"""The fact `Trace` of a fit: which batches are gone through, and what is told of one that fails."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pipedoctor.clock import Clock
from pipedoctor.fact import UNKNOWN, Split, Unavailable
from pipedoctor.facts.fit import GENERATOR
from pipedoctor.facts.gradients import Gradients
from pipedoctor.facts.trace import OPTIMIZER, WEIGHTS, Trace
from pipedoctor.frameworks.fitting.building import Ready
from pipedoctor.frameworks.fitting.drawing import Drawn, drawn, fed
from pipedoctor.frameworks.fitting.library import is_compiled, named, to_numpy
from pipedoctor.frameworks.fitting.nan import engine
from pipedoctor.frameworks.fitting.nan.engine import Engine, Outcome, put_back
from pipedoctor.frameworks.fitting.nan.labels import REFUSED
from pipedoctor.frameworks.fitting.untouched import untouched
from pipedoctor.frameworks.tracing import around
from pipedoctor.frameworks.tracing.replay import Found
from pipedoctor.pipeline import Pipeline

FEW = 8
"""A row's numbers are shown if there are no more."""

ENDLESS = 1 << 40


def measure(pipeline: Pipeline) -> Trace:
    """
    Look for values that are not finite, as far as was asked for; leave no trace of it.

    Where nothing was asked for, the step that other checks need has told already whether there is
    anything to look for.
    """
    wishes: Mapping[str, Any] = pipeline.parts.get("trace") or {}
    if wishes.get("capsule") is not None:
        from pipedoctor.frameworks.fitting.nan import replaying

        return replaying.measure(pipeline, str(wishes["capsule"]))
    ready = pipeline.fact(Ready)
    if not is_compiled(ready.model):
        raise Unavailable("the model is not compiled: it has no loss")
    if not wishes:
        told = pipeline.fact(Gradients)
        norms = [one.norm for one in told.of.values() if one.norm is not None]
        numbers = [*norms, *([told.loss] if told.known("loss") else [])]
        if all(abs(number) < float("inf") for number in numbers):
            return Trace(batches=1, loss=told.loss)
    if wishes.get("data") is not None:
        raise Unavailable("--data is for models whose batches pipedoctor makes; fit makes its own")
    return _Search(pipeline, engine.of(ready), wishes).trace()


class _Search:
    """One search: the batches, and what is told of it."""

    def __init__(self, pipeline: Pipeline, runs: Engine, wishes: Mapping[str, Any]) -> None:
        self._pipeline = pipeline
        self._engine = runs
        self._wishes = wishes
        self._data = fed(pipeline, Split.TRAIN)
        self._notes: list[str] = []
        self._losses: list[float] = []
        self._batches = self._steps = 0
        self._stopped = False
        self._clock = Clock.of(pipeline.parts.get("run"))

    def trace(self) -> Trace:
        """Go through the batches, and tell what came of it."""
        steps = int(self._wishes.get("steps") or 0)
        with untouched(self._engine.model):
            for batch in self._given(steps):
                standing = self._engine.standing()
                outcome = self._run(batch, update=bool(steps))
                self._batches += 1
                if outcome.loss is not None:
                    self._losses.append(outcome.loss)
                if outcome.bad:
                    found = self._engine.trace(batch, standing)
                    return self._told(batch, outcome, found, self._batches if steps else None)
                if not steps:
                    put_back(standing)
                self._steps += bool(steps)
                if time.monotonic() > self._clock.soft:
                    self._stopped = True
                    self._notes.append(self._clock.told())
                    break
        return self._through()

    def _run(self, batch: Drawn, *, update: bool) -> Outcome:
        try:
            return self._engine.run(batch, update=update)
        except Exception as error:
            if REFUSED.search(str(error)) is None:
                raise
            return Outcome(None, bad=True)

    def _given(self, steps: int) -> Iterator[Drawn]:
        if not steps:
            most = self._wishes.get("batches", 1)
            yield from drawn(self._data, ENDLESS if most == "all" else int(most))
            return
        self._notes.append("the rows come in the order of the data, not shuffled")
        left = steps
        while left:
            before = left
            for batch in drawn(self._data, left):
                left -= 1
                yield batch
                if not left:
                    return
            if left == before or self._data.kind == GENERATOR:
                self._notes.append(f"the data ended after {steps - left} steps")
                return

    @property
    def _there(self) -> int | None:
        """The number of batches that the data makes, where it is known."""
        try:
            return self._data.batches
        except Unavailable:
            return None

    def _through(self) -> Trace:
        if not self._batches:
            raise Unavailable("the train data has no batch")
        there = self._there
        everything = self._wishes.get("batches") == "all" and not self._stopped
        complete = not self._steps and (everything or there == self._batches)
        return Trace(
            batches=self._batches,
            steps=self._steps,
            loss=self._losses[-1] if self._losses else UNKNOWN,
            complete=complete,
            there=there,
            notes=tuple(self._notes),
        )

    def _told(
        self, batch: Drawn, outcome: Outcome, found: Found | None, step: int | None
    ) -> Trace:
        if step is not None and (said := around.diverged(self._losses)) is not None:
            self._notes.append(said)
        if found is None:
            self._notes.append(
                "it did not come up again when the batch was replayed: the model does not compute "
                "the same each time"
            )
        return told(
            replace(
                self._through(),
                loss=UNKNOWN if outcome.loss is None else outcome.loss,
                complete=False,
                batch=self._batches - 1,
                step=step,
                steps=self._batches - 1 if step else 0,
            ),
            batch,
            found,
        )


def told(trace: Trace, batch: Drawn, found: Found | None) -> Trace:
    """Return what was gone through, with what was found in the last batch of it."""
    loss = trace.loss if trace.known("loss") else UNKNOWN
    trace = replace(trace, loss=loss, batch_rows=batch.size, reproduced=found is not None)
    if found is None:
        return trace
    root = (found.causes[:1] or (found.origin,))[0]
    of_rows = root.when != WEIGHTS and found.origin.when != OPTIMIZER
    rows: tuple[int, ...] = ()
    if of_rows and len(batch.rows) == batch.size:
        rows = tuple(batch.rows[place] for place in found.rows)
    return replace(
        trace,
        loss=loss,
        origin=found.origin,
        causes=found.causes,
        places=found.rows if of_rows else (),
        rows=rows,
        shows=tuple(_shown(batch, place) for place in found.rows[:3]) if rows else (),
    )


def _shown(batch: Drawn, place: int) -> str:
    """Return what a row of the batch holds, where it is only a few numbers."""
    parts = []
    for name, leaf in named({"x": batch.x, "y": batch.y}, ""):
        held = to_numpy(leaf)
        if held is not None and held.ndim and len(held) == batch.size:
            row = held[place]
            if row.size <= FEW and row.dtype.kind in "biuf":
                parts.append(f"{name} = {row.tolist()}")
    number = batch.rows[place]
    return f"row {number}: {', '.join(parts)}" if parts else f"row {number}"

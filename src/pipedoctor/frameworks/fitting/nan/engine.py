"""Running batches through a model as fit does, and looking closer at one that is not finite."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from pipedoctor.facts.trace import BACKWARD, DATA, FORWARD, OPTIMIZER, WEIGHTS, Birth
from pipedoctor.frameworks.fitting import borrowed, second_words
from pipedoctor.frameworks.fitting.building import Ready
from pipedoctor.frameworks.fitting.chance import copied
from pipedoctor.frameworks.fitting.drawing import Drawn, taken
from pipedoctor.frameworks.fitting.library import Library, named, path_of, stored
from pipedoctor.frameworks.fitting.nan import labels, values, words
from pipedoctor.frameworks.fitting.nan.stepping import Halt, Working, one_step, packed
from pipedoctor.frameworks.fitting.untouched import variables
from pipedoctor.frameworks.tracing.replay import MOST_ROWS, Found, chosen


@dataclass(frozen=True)
class Outcome:
    """What a step came to: its loss, and whether something was not finite."""

    loss: float | None
    bad: bool
    when: str = ""


class Engine:
    """Runs steps of one model; whoever uses it puts the model back at the end."""

    def __init__(self, ready: Ready) -> None:
        """Run nothing yet."""
        self.model, self.library = ready.model, ready.library
        self.working = Working()

    def standing(self) -> list[tuple[Any, Any]]:
        """Return every variable with a copy of what it holds: weights, states, seeds."""
        return [(one, copied(one)) for one in (*variables(self.model), *self.working.variables)]

    def run(self, batch: Drawn, *, update: bool) -> Outcome:
        """Run a step; without `update`, or where it is not finite, no weight is changed."""
        bad_update = False

        def apply(optimizer: Any, gradients: list[Any], held: list[Any]) -> None:
            nonlocal bad_update
            if not update or any(values.kind(one) for one in gradients):
                return
            self.working.apply(optimizer, gradients, held)
            bad_update = bad_update or any(values.kind(stored(one)) for one in held)

        seen = one_step(self.model, packed(self.library, batch), apply)
        loss = float(values.number(seen.losses[-1])) if seen.losses else None
        if seen.bad:
            return Outcome(loss, bad=True, when=BACKWARD)
        return Outcome(loss, bad=bad_update, when=OPTIMIZER if bad_update else "")

    def trace(self, batch: Drawn, standing: Sequence[tuple[Any, Any]]) -> Found | None:
        """Run a step again from where it stood, and look at its operations."""
        put_back(standing)
        lent = borrowed.is_one(self.model)
        found = labels.outside(self.library, batch, lambda: self._traced(batch), lent=lent)
        if found is None or found.rows or found.origin.when not in {FORWARD, BACKWARD}:
            return found
        if any(cause.when == WEIGHTS for cause in found.causes):
            return found
        return Found(found.origin, found.causes, self._alone(batch, standing))

    def _traced(self, batch: Drawn) -> Found | None:
        watcher = self._watcher(batch.size)
        data = packed(self.library, batch)
        for name, leaf in named(dict(zip(("x", "y", "sample_weight"), data, strict=False)), ""):
            self._arrived(watcher, name, leaf)
        ends: list[Any] = []
        written: dict[Any, str] = {}

        def apply(optimizer: Any, gradients: list[Any], held: list[Any]) -> None:
            ends[:] = [one for one in gradients if one is not None and values.kind(one)]
            if ends:
                raise Halt
            watcher.updating = True
            self.working.apply(optimizer, gradients, held)
            for variable in held:
                if values.kind(stored(variable)):
                    ends.append(stored(variable))
                    written[self._end(stored(variable))] = path_of(variable)

        with watcher.watching():
            seen = one_step(self.model, data, apply)
        # What spoils the loss spoils all gradients too, which then tell nothing more.
        ends = [loss for loss in seen.losses[-1:] if values.kind(loss)] or ends
        keys = ends if self.library.backend == "torch" else [self._end(one) for one in ends]
        found = told_once(chosen(watcher.journal, keys), self.library)
        if found is not None and found.origin.when == OPTIMIZER and written:
            name = found.origin.name or next(iter(written.values()))
            return replace(found, origin=replace(found.origin, name=name))
        return found

    def _watcher(self, size: int) -> Any:
        from pipedoctor.frameworks.fitting.nan import tensorflow, torch

        kind = torch.Lines if self.library.backend == "torch" else tensorflow.Operations
        return kind(self.library, self.model, size)

    def _arrived(self, watcher: Any, name: str, leaf: Any) -> None:
        if self.library.backend == "torch":
            watcher.journal.came_with({name: leaf}, DATA)
        else:
            watcher.journal.came_with(self._end(leaf), leaf, DATA, name)

    def _end(self, value: Any) -> Any:
        """Return the key of an array in the journal."""
        if self.library.backend == "torch":
            return id(value)
        from pipedoctor.frameworks.fitting.nan.tensorflow import key

        held = value.values if type(value).__name__ == "IndexedSlices" else value
        return key(held.handle if hasattr(held, "handle") else held)

    def _alone(self, batch: Drawn, standing: Sequence[tuple[Any, Any]]) -> tuple[int, ...]:
        """Return the rows with which the step is not finite even if they are the only one."""
        if not 1 < batch.size <= MOST_ROWS:
            return tuple(range(batch.size)) if batch.size == 1 else ()
        guilty = []
        for row in range(batch.size):
            put_back(standing)
            parts = (taken(part, [row]) for part in (batch.x, batch.y, batch.sample_weight))
            with suppress(Exception):  # a single row may be too few: nothing is said of it then
                if self.run(Drawn(*parts), update=False).bad:
                    guilty.append(row)
        return tuple(guilty)


def told_once(found: Found | None, library: Library) -> Found | None:
    """
    Leave out causes that say the same: of one line, or parts of one derivative.

    TensorFlow computes a derivative by several operations, of which the last alone has all of it.
    """
    if found is None:
        return None
    origin, kept = found.origin, list[Birth]()
    for cause in found.causes:
        same = origin.node and (origin.node, origin.where) == (cause.node, cause.where)
        if same and origin.family == "where-does-not-shield-the-gradient":
            continue
        if not any(
            (c.operation, c.where, c.name) == (cause.operation, cause.where, cause.name)
            for c in kept
        ):
            kept.append(cause)
    causes = tuple(_in_words(cause, library) for cause in kept)
    return replace(found, origin=_in_words(origin, library), causes=causes)


def _in_words(birth: Birth, library: Library) -> Birth:
    """Return a birth with the cure in the words of its Keras."""
    return replace(birth, cure=second_words.worded(words.cure(birth.family, birth.cure), library))


def put_back(standing: Sequence[tuple[Any, Any]]) -> None:
    """Give each variable again what it held."""
    for variable, value in standing:
        variable.assign(value)


def of(ready: Ready) -> Engine:
    """Return what runs the steps of a model with the backend that it has."""
    if ready.library.backend == "jax":
        from pipedoctor.frameworks.fitting.nan.jax import JaxEngine

        return JaxEngine(ready)
    return Engine(ready)

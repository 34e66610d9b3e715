"""What is noted of each call of a model, and of each backward pass from a loss."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pipedoctor.frameworks.loops import arguments, lossgraph, modes, tops
from pipedoctor.frameworks.loops.carried import norms
from pipedoctor.frameworks.loops.counting import CLOSELY, MANY, Count, closely
from pipedoctor.frameworks.loops.keeping import Keeper
from pipedoctor.frameworks.loops.recording import Recording, Top
from pipedoctor.frameworks.training import graph

GRAPHS = 12
"""So many graphs are followed to their ends, which takes about as long as making them."""

KEPT = 5000
"""Of so many calls of models is known which mode they were in."""


class Passes:
    """Notes calls of models and backward passes; `batches`: so many of the first are kept."""

    def __init__(self, recording: Recording, count: Count, folder: str, *, batches: int) -> None:
        """Know of no call yet."""
        self._recording = recording
        self._count = count
        self._folder = folder
        self._keeper = Keeper(recording, batches)
        self._modes: dict[int, tuple[Top, bool]] = {}
        self._calls = 0

    def called(self, module: Any, inputs: Any, output: Any, *, grad: bool) -> None:
        """Note the call of a module that no other has called."""
        recording = self._recording
        if grad:
            self._keeper.call(module, inputs, output)
        if id(module) not in recording.tops:
            if next(module.parameters(), None) is None:
                return  # a loss function, or another one that learns nothing
            found, name = tops.top(module)
            known = {id(top.module): top for top in recording.models}
            recording.tops[id(module)] = known.get(id(found)) or Top(found, name)
        if not grad:
            recording.without_gradient += 1
            return
        if not recording.shapes:
            values = arguments.given(inputs).values()
            recording.shapes = tuple(tuple(v.shape) for v in values if hasattr(v, "shape"))
        top = recording.tops[id(module)]
        sleeping = False
        if not module.training and (layers := modes.asleep(module)):
            sleeping = True
            top.layers = layers
            if not top.idle:
                top.idle = modes.idle(module)
        if len(self._modes) > KEPT:
            self._modes.clear()
        self._calls += 1
        top.calls += 1
        self._modes[self._calls] = top, sleeping
        lossgraph.mark(output, self._calls)

    def begins(self, losses: list[Any]) -> None:
        """Note a backward pass that is about to be made."""
        recording = self._recording
        self._keeper.loss(losses)
        recording.backwards += 1
        self._count.loss = sum(float(loss.detach().float().mean()) for loss in losses)
        if recording.first_loss is None:
            recording.first_loss = self._count.loss
            recording.backward_at = tops.line(self._folder)
            recording.connected = all(loss.requires_grad for loss in losses)
        if closely(self._count.steps) and self._count.since < MANY:
            for loss in losses:
                self._looked_at(loss)
        if self._count.steps <= CLOSELY:
            for stepped in recording.optimizers:
                stepped.carried.before_backward()

    def _looked_at(self, loss: Any) -> None:
        recording = self._recording
        region = lossgraph.read(loss)
        for term in region.terms:
            key = (term.kind, term.fed_by, term.broadcast is not None, term.classes)
            known = recording.terms.get(key)
            if known is None:
                recording.terms[key] = replace(term, where=tops.line(self._folder))
            else:
                recording.terms[key] = _wider(known, term)
        for number in region.calls:
            if number in self._modes:
                top, sleeping = self._modes[number]
                top.used.append(sleeping)
        if self._count.passes <= GRAPHS:
            for leaf in graph.leaves(loss) if loss.grad_fn is not None else [loss]:
                recording.leaves[id(leaf)] = leaf

    def ended(self) -> None:
        """Note a backward pass that was made."""
        self._count.since += 1
        for stepped in self._recording.optimizers if self._count.steps <= CLOSELY else ():
            stepped.carried.after_backward()
            if not stepped.fresh:
                held = [p.grad for p in stepped.parameters if p.grad is not None]
                stepped.fresh = any(norms(held))


def _wider(known: Any, term: Any) -> Any:
    """Return a term with the extremes of two."""
    lows = [t.low for t in (known, term) if t.low is not None]
    highs = [t.high for t in (known, term) if t.high is not None]
    return replace(known, low=min(lows, default=None), high=max(highs, default=None))

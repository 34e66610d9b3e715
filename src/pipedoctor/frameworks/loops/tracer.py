"""One step of a watched loop, with each of its operations looked at."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from pipedoctor.fact import UNKNOWN
from pipedoctor.facts.trace import BACKWARD, DATA, FORWARD, OPTIMIZER, WEIGHTS, Birth, Trace
from pipedoctor.finding import NOWHERE
from pipedoctor.frameworks.loops import tops
from pipedoctor.frameworks.loops.recording import Recording
from pipedoctor.frameworks.tracing import around
from pipedoctor.frameworks.tracing.lineage import Lineage
from pipedoctor.frameworks.tracing.replay import Found, batch_size, chosen, eager, tensors

PATIENCE = 20
"""So many steps more than it took the first time are waited for the value to come up again."""


class Tracer:
    """
    Follows the values of a loop from the step `failing` on, until one is not finite.

    It begins with the first call of a model after the steps before were made: what the script has
    computed by then came with the data.
    """

    def __init__(self, recording: Recording, failing: int) -> None:
        """Wait for the step."""
        self._recording = recording
        self._failing = failing
        self._lineage: Lineage | None = None
        self._inside = ExitStack()
        self._known: set[int] = set()
        self._losses: list[Any] = []
        self._rows = 0
        self._called_at = NOWHERE
        self._folder = os.getcwd()

    def model_called(self, module: Any, batch: dict[str, Any], steps: int) -> None:
        """Begin, if it is time; learn the weights of a model that is new."""
        if steps < self._failing - 1 or steps > self._failing + PATIENCE:
            return
        if self._lineage is None:
            self._rows = batch_size(batch)
            self._lineage = Lineage(module, self._rows)
            self._inside.enter_context(eager())
            self._inside.enter_context(self._lineage.watching())
        elif id(module) not in self._known:
            self._lineage.also(module)
        if id(module) not in self._known:
            self._known.add(id(module))
            self._lineage.came_with(dict(module.named_parameters()), WEIGHTS)
            self._lineage.came_with(dict(module.named_buffers()), WEIGHTS)
        self._lineage.phase = FORWARD
        self._called_at = tops.line(self._folder)
        # What an earlier model has made is known, and no data.
        fresh = {name: t for name, t in tensors(batch) if t.grad_fn is None}
        self._lineage.came_with(fresh, DATA)

    def backward_begins(self, losses: list[Any]) -> None:
        """Note what is differentiated."""
        if self._lineage is not None:
            self._losses = [loss.detach() for loss in losses]
            self._lineage.phase = BACKWARD

    def step_begins(self, _parameters: list[Any], in_closure: bool) -> None:
        """What follows is the optimizer's, but for the passes of a closure."""
        if self._lineage is not None and not in_closure:
            self._lineage.phase = OPTIMIZER

    def step_ended(self, parameters: list[Any], *, failed: bool, number: int) -> None:
        """Tell where the value comes from, if the step has made one."""
        if self._lineage is None or not failed:
            return
        lineage = self._lineage
        self.leave()
        gradients = [p.grad for p in parameters if p.grad is not None]
        ends = [*self._losses, *gradients]
        found = chosen(lineage, ends) or chosen(lineage, [p.detach() for p in parameters])
        if found is not None and found.origin.when == DATA:
            found = replace(found, origin=replace(found.origin, where=self._called_at))
        self._recording.trace = told(self._recording, number, found, self._rows)

    def leave(self) -> None:
        """Look at nothing any longer."""
        self._lineage = None
        self._inside.close()


def told(recording: Recording, failed: int | None, found: Found | None, rows: int = 0) -> Trace:
    """Return what became of the search in a loop; `failed` is the step that was not finite."""
    losses = [step.loss for step in recording.steps if step.loss is not None]
    watched = f"the loop was watched until {recording.ended}" if recording.ended else ""
    notes = watched if failed is None else around.diverged(losses)
    trace = Trace(
        batches=recording.backwards,
        steps=len(recording.steps),
        loss=losses[-1] if losses else UNKNOWN,
        notes=(notes,) if notes else (),
        of_loop=True,
    )
    if failed is None:
        return trace
    return replace(
        trace,
        batch=recording.backwards - 1,
        step=failed,
        batch_rows=rows,
        reproduced=found is not None,
        origin=None if found is None else _blamed(found.origin, notes),
        causes=() if found is None or notes else found.causes,
        places=() if found is None else found.rows,
    )


def _blamed(origin: Birth, diverged: str | None) -> Birth:
    """Return the birth with what is to blame for it: losses that had run away before."""
    if diverged is None:
        return origin
    return replace(
        origin,
        family="diverged",
        why=diverged,
        cure="divide lr by 10 until the loss falls; if single batches throw it off, "
        "torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0) before the step",
    )

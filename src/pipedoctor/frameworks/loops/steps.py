"""What is noted of each step of an optimizer."""

from __future__ import annotations

import copy
from math import hypot, isfinite
from typing import Any

from pipedoctor.facts.loop import LoopStep
from pipedoctor.frameworks.loops import tops
from pipedoctor.frameworks.loops.carried import norms
from pipedoctor.frameworks.loops.counting import CLOSELY, MANY, Count, closely
from pipedoctor.frameworks.loops.recording import Recording, Stepped


class Steps:
    """Notes optimizers and their steps; `first`: whether the state they began in is kept."""

    def __init__(self, recording: Recording, count: Count, folder: str, *, first: bool) -> None:
        """Know of no optimizer yet."""
        self._recording = recording
        self._count = count
        self._folder = folder
        self._first = first

    def of(self, optimizer: Any) -> Stepped:
        """Return what is known of an optimizer, which may be met for the first time."""
        for one in self._recording.optimizers:
            if one.optimizer is optimizer:
                return one
        name = tops.variable(optimizer, "optimizer")
        where = tops.line(self._folder)
        one = Stepped(optimizer, name, where, len(self._recording.optimizers))
        one.note_values()
        if self._first:
            one.began = copy.deepcopy(optimizer.state_dict())
        self._recording.optimizers.append(one)
        self._count.anew()
        # The passes before its first step were made when it was not known yet.
        one.fresh = any(norms([p.grad for p in one.parameters if p.grad is not None]))
        return one

    @staticmethod
    def measured(stepped: Stepped) -> dict[str, Any]:
        """Return what is to be known of a step and its gradients, right before it is made."""
        parameters = [p for p in stepped.parameters if p.grad is not None]
        sizes = norms([p.grad for p in parameters])
        for parameter, size in zip(parameters, sizes, strict=True):
            stepped.norms.setdefault(id(parameter), size)
        rate = stepped.optimizer.param_groups[0].get("lr")
        return {
            "norm": hypot(*sizes) if sizes else None,
            "rate": None if rate is None else float(rate),
        }

    def made(self, stepped: Stepped) -> bool:
        """Note a step that was made; return whether it has made a value that is not finite."""
        recording = self._recording
        told = stepped.pending or self.measured(stepped)
        number = self._count.steps + 1
        close = number <= CLOSELY
        stale: int | None = None
        if close:
            known = stepped.carried.known
            held = [p for p in stepped.parameters if p.grad is not None]
            count = stepped.carried.stepped(held)
            stale = count if known else None
        norm = told["norm"]
        recording.steps.append(
            LoopStep(
                number=len(recording.steps) + 1,
                optimizer=stepped.number,
                backwards=self._count.since,
                loss=self._count.loss,
                norm=norm,
                rate=told["rate"],
                stale=stale,
                cleared=close and stepped.fresh and not norm,
            )
        )
        self._note_modes(stepped, len(recording.steps))
        stepped.pending, stepped.fresh, self._count.since = {}, False, 0
        failed = norm is not None and not isfinite(norm)
        if not failed and closely(number):
            failed = not all(map(isfinite, norms(stepped.parameters)))
        return failed

    def _note_modes(self, stepped: Stepped, number: int) -> None:
        held = {id(p) for p in stepped.parameters if p.requires_grad}
        for top in self._recording.models:
            if (
                top.used
                and self._count.since < MANY
                and any(id(p) in held for p in top.module.parameters())
            ):
                top.modes.append((number, all(top.used)))
            top.used = []

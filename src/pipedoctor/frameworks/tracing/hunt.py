"""
The way to the first batch with which a step is not finite.

Each batch is run as the training would run it, and one number is looked at: the loss plus the norm
of all gradients. Only where that is not finite the batch is replayed, from the random states and
buffers that it started with, and its operations are looked at.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from math import isfinite
from typing import Any

from pipedoctor.frameworks.restoring.stepping import Standing
from pipedoctor.frameworks.tracing.replay import (
    Found,
    State,
    Step,
    clear,
    replay,
    replay_update,
    tensors,
)
from pipedoctor.frameworks.tracing.values import kind


@dataclass(frozen=True)
class Given:
    """A batch on the model's device, and which rows of the data it is made of (empty: unknown)."""

    inputs: Mapping[str, Any]
    rows: tuple[int, ...] = ()


@dataclass
class Result:
    """What was gone through, and what was found."""

    batches: int = 0
    steps: int = 0
    tokens: int = 0
    loss: float | None = None
    found: Found | None = None
    batch: Given | None = None
    step: int | None = None
    failed: bool = False
    """Whether something was not finite, be it found again or not."""
    stopped: bool = False
    """Whether the time was up before all was gone through."""


@dataclass(frozen=True)
class Update:
    """How the training changes the weights."""

    optimizer: Any
    accumulation: int = 1
    clip: float | None = None


@dataclass
class Hunt:
    """Goes through batches until one is not finite, or `deadline` (of `time.monotonic`) is past."""

    step: Step
    deadline: float = float("inf")
    result: Result = field(default_factory=Result)

    def batches(self, given: Iterable[Given]) -> Result:
        """Run each batch forwards and backwards; nothing is learned."""
        for batch in given:
            state = State.of(self.step.model)
            clear(self.step.model)
            loss = self._pass(batch, 1)
            if not isfinite(loss) or self._gradients_bad():
                return self._caught([(batch, state)])
            if self._late():
                break
        return self.result

    def steps(self, given: Iterable[Given], update: Update, most: int) -> Result:
        """Train for so many steps; weights and optimizer are not put back here."""
        waiting = iter(given)
        for number in range(1, most + 1):
            micro: list[tuple[Given, State]] = []
            clear(self.step.model)
            for batch in islice(waiting, update.accumulation):
                micro.append((batch, State.of(self.step.model)))
                loss = self._pass(batch, update.accumulation)
                if not isfinite(loss):
                    return self._caught(micro[-1:], number)
            if not micro:
                break
            if self._gradients_bad():
                return self._caught(micro, number)
            if self._update_bad(update):
                return self._caught_update(update, micro[-1][0], number)
            self.result.steps = number
            if self._late():
                break
        return self.result

    def _pass(self, batch: Given, parts: int) -> float:
        """Run one batch forwards and backwards; the gradients are added to what is there."""
        import torch

        with torch.enable_grad():
            loss = self.step.loss(batch.inputs)
            value = float(loss.detach().float())
            if isfinite(value) and loss.requires_grad:
                (loss * (self.step.scale / parts)).backward()
        result = self.result
        result.batches += 1
        result.tokens += sum(t.numel() for name, t in tensors(batch.inputs) if name == "input_ids")
        result.loss, result.batch = value, batch
        return value

    def _gradients_bad(self) -> bool:
        return _bad([p.grad for p in self.step.trained if p.grad is not None])

    def _update_bad(self, update: Update) -> bool:
        """Take the optimizer's step; go back where it makes a weight that is not finite."""
        import torch

        trained = self.step.trained
        if self.step.scale != 1:
            for parameter in trained:
                if parameter.grad is not None:
                    parameter.grad.div_(self.step.scale)
        if update.clip:
            torch.nn.utils.clip_grad_norm_(trained, update.clip)
        standing = Standing(self.step.model, update.optimizer)
        update.optimizer.step()
        if not _bad([p.detach() for p in trained]):
            return False
        standing.put_back()
        return True

    def _caught(self, micro: Sequence[tuple[Given, State]], number: int | None = None) -> Result:
        self.result.failed, self.result.step = True, number
        for batch, state in micro:
            self.result.batch = batch
            self.result.found = replay(self.step, batch.inputs, state)
            if self.result.found is not None:
                break
        return self.result

    def _caught_update(self, update: Update, batch: Given, number: int) -> Result:
        self.result.failed, self.result.step = True, number
        self.result.batch = batch
        self.result.found = replay_update(self.step, update.optimizer)
        return self.result

    def _late(self) -> bool:
        self.result.stopped = time.monotonic() > self.deadline
        return self.result.stopped


def repeated(given: Sequence[Any]) -> Iterator[Any]:
    """Yield the entries again and again, as epochs do."""
    while given:
        yield from given


def _bad(held: list[Any]) -> bool:
    """Whether there is a value that is not finite in any tensor: one number, then a second look."""
    import torch

    if not held:
        return False
    dense = [tensor for tensor in held if not tensor.is_sparse]
    norms = torch._foreach_norm(dense) if dense else []  # noqa: SLF001 - what clip_grad_norm_ uses
    total = (
        sum(float(norm) for norm in norms)
        if len(norms) < 2
        else torch.stack([n.float().cpu() for n in norms]).sum()
    )
    if len(dense) == len(held) and isfinite(float(total)):
        return False
    return any(kind(tensor) for tensor in held)

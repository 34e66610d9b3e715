"""Watching a training loop: the hooks, and when it was enough."""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pipedoctor.frameworks.loops import arguments
from pipedoctor.frameworks.loops.counting import Count
from pipedoctor.frameworks.loops.passes import Passes
from pipedoctor.frameworks.loops.recording import Recording
from pipedoctor.frameworks.loops.steps import Steps


@dataclass(frozen=True)
class Limits:
    """How long a loop is watched; `passes` is for loops that never step an optimizer."""

    steps: int = 200
    seconds: float = 15.0
    passes: int = 2000
    batches: int = 0
    """So many of the first batches are kept, with the state that all was in before them."""


class Watch:
    """
    Watches the loop of a script from the import of torch to the end of its limits.

    `enough` is told when it has seen enough, and need not come back; `further` says whether
    another loop may follow that is worth waiting for; `bad` is told of a step that made a value
    which is not finite; `started` is called before the first step. An error of its own ends the
    watching, and never reaches the script. With each new optimizer the counting begins anew.
    """

    def __init__(self, limits: Limits, problems: list[str], **told: Callable[..., Any]) -> None:
        """Watch nothing before `install`."""
        self.recording = Recording()
        self.resting = False
        self.tracer: Any = None
        self._limits = limits
        self._enough: Callable[[Recording], None] = told["enough"]
        self._problems = problems
        self._further: Callable[[], bool] = told.get("further", bool)
        self._bad: Callable[[int], None] = told.get("bad", lambda _step: None)
        self._started: Callable[[], None] = told.get("started", lambda: None)
        self._thread = threading.get_ident()
        self._stack: list[Any] = []
        self._began = 0.0
        self._inside = 0
        self._count = Count(self.recording)
        noted = self.recording, self._count, os.getcwd()
        self._passes = Passes(*noted, batches=limits.batches)
        self._steps = Steps(*noted, first=limits.batches > 0)
        self._handles: list[Any] = []
        self._wrapped: list[tuple[Any, str, Any]] = []

    def install(self) -> None:
        """Put the hooks in place."""
        import torch
        from torch.nn.modules import module
        from torch.optim import optimizer

        os.register_at_fork(after_in_child=self.rest)
        self._handles = [
            module.register_module_forward_pre_hook(self._begins),
            module.register_module_forward_hook(self._ends, always_call=True),
            optimizer.register_optimizer_step_pre_hook(self._before_step),
            optimizer.register_optimizer_step_post_hook(self._after_step),
        ]
        original = torch.autograd.backward

        def backward(tensors: Any, *words: Any, **keywords: Any) -> None:
            if self._elsewhere() or self._inside:
                original(tensors, *words, **keywords)
                return
            self._before_backward(tensors)
            self._inside += 1
            try:
                original(tensors, *words, **keywords)
            finally:
                self._inside -= 1
            self._after_backward()

        backward.__doc__, backward.__wrapped__ = original.__doc__, original  # type: ignore[attr-defined]  # as functools.wraps
        self._wrap(torch.autograd, "backward", backward)
        schedule = torch.optim.lr_scheduler.LRScheduler
        make = schedule.__init__

        @functools.wraps(make)
        def constructor(made: Any, *words: Any, **keywords: Any) -> None:
            make(made, *words, **keywords)
            if not self._elsewhere():
                self.recording.schedules.append(made)

        self._wrap(schedule, "__init__", constructor)

    def uninstall(self) -> None:
        """Take the hooks away."""
        self.resting = True
        for handle in self._handles:
            handle.remove()
        for owner, name, original in self._wrapped:
            setattr(owner, name, original)
        self._handles, self._wrapped = [], []

    def rest(self) -> None:
        """Watch no longer; the hooks stay."""
        self.resting = True

    def finish(self, ended: str) -> None:
        """Tell that it was enough."""
        if self.resting:
            return
        self.resting = True
        self.recording.ended = ended
        self.recording.seconds = time.monotonic() - self._began if self._began else 0.0
        self._enough(self.recording)

    def _wrap(self, owner: Any, name: str, wrapper: Any) -> None:
        self._wrapped.append((owner, name, getattr(owner, name)))
        setattr(owner, name, wrapper)

    def _elsewhere(self) -> bool:
        """Whether what happens is none of the loop's: in another thread, or while we examine."""
        return self.resting or threading.get_ident() != self._thread

    @contextmanager
    def _sparing_the_script(self) -> Iterator[None]:
        import torch

        try:
            with torch.no_grad():
                yield
        except Exception as error:  # noqa: BLE001 - ours, and not to be taken for the user's
            self.resting = True
            self._problems.append(
                f"the loop was not watched any longer: {type(error).__name__}: {error}"
            )

    # What happens to modules

    def _begins(self, module: Any, inputs: Any) -> None:
        import torch

        if torch.compiler.is_compiling() or self._elsewhere() or self._inside:
            return
        self._stack.append(module)
        if len(self._stack) == 1 and self.tracer is not None and torch.is_grad_enabled():
            with self._sparing_the_script():
                self.tracer.model_called(
                    module, arguments.given(inputs), len(self.recording.steps)
                )

    def _ends(self, module: Any, inputs: Any, output: Any) -> None:
        import torch

        if torch.compiler.is_compiling() or self._elsewhere() or self._inside:
            return
        while self._stack and self._stack.pop() is not module:
            pass  # what an error has left open is closed with what it passed through
        if self._stack:
            return
        grad = torch.is_grad_enabled()
        with self._sparing_the_script():
            self._passes.called(module, inputs, output, grad=grad)

    # What happens to losses

    def _before_backward(self, tensors: Any) -> None:
        with self._sparing_the_script():
            self._noted_backward(tensors)

    def _noted_backward(self, tensors: Any) -> None:
        if not self._began:
            self._began = time.monotonic()
        losses = [tensors] if hasattr(tensors, "grad_fn") else list(tensors)
        self._passes.begins(losses)
        if self.tracer is not None:
            self.tracer.backward_begins(losses)

    def _after_backward(self) -> None:
        with self._sparing_the_script():
            self._passes.ended()
        if self.recording.backwards >= self._limits.passes:
            self.finish(f"{self.recording.backwards:,} backward passes were made")

    # What happens to optimizers

    def _before_step(self, optimizer: Any, words: Any, keywords: Any) -> None:
        if self._elsewhere() or self._inside:
            return
        if not self.recording.optimizers:
            self._started()
        with self._sparing_the_script():
            stepped = self._steps.of(optimizer)
            if not self._began:
                self._began = time.monotonic()
            closure = keywords.get("closure", words[1] if len(words) > 1 else None)
            stepped.pending = {} if closure is not None else self._steps.measured(stepped)
            if self.tracer is not None:
                self.tracer.step_begins(stepped.parameters, closure is not None)

    def _after_step(self, optimizer: Any, _words: Any, _keywords: Any) -> None:
        if self._elsewhere() or self._inside:
            return
        failed = False
        with self._sparing_the_script():
            failed = self._noted_step(optimizer)
        number = len(self.recording.steps)
        if failed and not self.resting:
            self.recording.failed_at = number
            self._bad(number)
            self.finish(f"step {number:,} made a value that is not finite")
        elif not self.resting:
            self._look_at_the_limits(number)

    def _noted_step(self, optimizer: Any) -> bool:
        stepped = self._steps.of(optimizer)
        failed = self._steps.made(stepped)
        if self.tracer is not None:
            number = len(self.recording.steps)
            self.tracer.step_ended(stepped.parameters, failed=failed, number=number)
        return failed

    def _look_at_the_limits(self, number: int) -> None:
        late = time.monotonic() - self._began > self._limits.seconds
        done = self._count.steps >= self._limits.steps
        if late or (done and not self._further()):
            why = (
                f"{self._limits.seconds:g} s were over" if late else f"{number:,} steps were made"
            )
            self.finish(why)

"""Watching a training loop: the hooks, and what is noted at each of them."""

from __future__ import annotations

import copy
import functools
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import hypot, isfinite
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.facts.loop import LoopStep
from pipedoctor.frameworks.loops import arguments, first_batch, lossgraph, modes, rounds, tops
from pipedoctor.frameworks.loops.carried import norms
from pipedoctor.frameworks.loops.recording import Recording, Stepped, Top
from pipedoctor.frameworks.training import graph, shifting

CLOSELY = 40
"""So many steps and their backward passes are looked at closely, and then each twentieth."""

SELDOM = 20

MANY = 64
"""More passes than this for one step are not looked at one by one; then its modes are not known."""

GRAPHS = 12
"""So many graphs are followed to their ends, which takes about as long as making them."""

KEPT = 5000
"""Of so many calls of models is known which mode they were in."""


@dataclass(frozen=True)
class Limits:
    """How long a loop is watched; `passes` is for loops that never step an optimizer."""

    steps: int = 200
    seconds: float = 15.0
    passes: int = 2000
    first: bool = False
    """Whether the first batch is kept, with the state that all was in."""


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
        self._folder = os.getcwd()
        self._thread = threading.get_ident()
        self._stack: list[Any] = []
        self._modes: dict[int, tuple[Top, bool]] = {}
        self._calls = 0
        self._began = 0.0
        self._inside = 0
        self._since = 0
        self._steps_before = 0
        self._passes_before = 0
        self._loss: float | None = None
        self._first_calls: list[Any] = []
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
        rounds.watch(self._wrap, self._elsewhere, self.recording)

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
            self._called(module, inputs, output, grad=grad)

    def _called(self, module: Any, inputs: Any, output: Any, *, grad: bool) -> None:
        recording = self.recording
        if self._limits.first and grad and not recording.backwards:
            self._keep_call(module, inputs, output)
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
            given = arguments.given(inputs)
            recording.shapes = tuple(tuple(v.shape) for v in given.values() if hasattr(v, "shape"))
            recording.shift = shifting.of_a_call(given, output, tops.line(self._folder))
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

    def _keep_call(self, module: Any, inputs: Any, output: Any) -> None:
        import torch

        if next(module.parameters(), None) is None:
            return
        half = torch.is_autocast_enabled() or torch.is_autocast_enabled("cpu")
        given = arguments.given(inputs)
        self._first_calls.append(first_batch.Call(module, given, output, half))

    # What happens to losses

    def _before_backward(self, tensors: Any) -> None:
        with self._sparing_the_script():
            self._noted_backward(tensors)

    def _noted_backward(self, tensors: Any) -> None:
        recording = self.recording
        if not self._began:
            self._began = time.monotonic()
        recording.backwards += 1
        losses = [tensors] if hasattr(tensors, "grad_fn") else list(tensors)
        self._loss = sum(float(loss.detach().float().mean()) for loss in losses)
        if recording.first_loss is None:
            recording.first_loss = self._loss
            recording.backward_at = tops.line(self._folder)
            recording.connected = all(loss.requires_grad for loss in losses)
            if self._limits.first:
                try:
                    recording.first = first_batch.kept(self._first_calls, losses)
                except Unavailable as reason:
                    recording.no_first = str(reason)
                self._first_calls = []
        if self._closely(len(recording.steps) - self._steps_before) and self._since < MANY:
            for loss in losses:
                self._looked_at(loss)
        if len(recording.steps) - self._steps_before <= CLOSELY:
            for stepped in recording.optimizers:
                stepped.carried.before_backward()
        if self.tracer is not None:
            self.tracer.backward_begins(losses)

    def _looked_at(self, loss: Any) -> None:
        recording = self.recording
        region = lossgraph.read(loss)
        if len(recording.steps) <= CLOSELY:
            recording.labels.take(region.targets)
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
        if recording.backwards - self._passes_before <= GRAPHS:
            for leaf in graph.leaves(loss) if loss.grad_fn is not None else [loss]:
                recording.leaves[id(leaf)] = leaf

    def _after_backward(self) -> None:
        with self._sparing_the_script():
            self._since += 1
            steps = len(self.recording.steps) - self._steps_before
            for stepped in self.recording.optimizers if steps <= CLOSELY else ():
                stepped.carried.after_backward()
                if not stepped.fresh:
                    held = [p.grad for p in stepped.parameters if p.grad is not None]
                    stepped.fresh = any(norms(held))
        if self.recording.backwards >= self._limits.passes:
            self.finish(f"{self.recording.backwards:,} backward passes were made")

    # What happens to optimizers

    def _before_step(self, optimizer: Any, words: Any, keywords: Any) -> None:
        if self._elsewhere() or self._inside:
            return
        if not self.recording.optimizers:
            self._started()
        with self._sparing_the_script():
            stepped = self._stepped(optimizer)
            closure = keywords.get("closure", words[1] if len(words) > 1 else None)
            stepped.pending = {} if closure is not None else self._measured(stepped)
            if self.tracer is not None:
                self.tracer.step_begins(stepped.parameters, closure is not None)

    def _after_step(self, optimizer: Any, _words: Any, _keywords: Any) -> None:
        if self._elsewhere() or self._inside:
            return
        failed = False
        with self._sparing_the_script():
            failed = self._noted_step(self._stepped(optimizer))
        number = len(self.recording.steps)
        if failed and not self.resting:
            self.recording.failed_at = number
            self._bad(number)
            self.finish(f"step {number:,} made a value that is not finite")
        elif not self.resting:
            self._look_at_the_limits(number)

    def _look_at_the_limits(self, number: int) -> None:
        late = time.monotonic() - self._began > self._limits.seconds
        done = number - self._steps_before >= self._limits.steps
        if late or (done and not self._further()):
            why = (
                f"{self._limits.seconds:g} s were over" if late else f"{number:,} steps were made"
            )
            self.finish(why)

    def _stepped(self, optimizer: Any) -> Stepped:
        for one in self.recording.optimizers:
            if one.optimizer is optimizer:
                return one
        name = tops.variable(optimizer, "optimizer")
        where = tops.line(self._folder)
        one = Stepped(optimizer, name, where, len(self.recording.optimizers))
        one.note_values()
        if self._limits.first:
            one.began = copy.deepcopy(optimizer.state_dict())
        self.recording.optimizers.append(one)
        self._steps_before = len(self.recording.steps)
        self._passes_before = self.recording.backwards - 1
        # The passes before its first step were made when it was not known yet.
        one.fresh = any(norms([p.grad for p in one.parameters if p.grad is not None]))
        if not self._began:
            self._began = time.monotonic()
        return one

    def _measured(self, stepped: Stepped) -> dict[str, Any]:
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

    def _noted_step(self, stepped: Stepped) -> bool:
        """Note a step that was made; return whether it has made a value that is not finite."""
        recording = self.recording
        told = stepped.pending or self._measured(stepped)
        number = len(recording.steps) + 1
        close = number - self._steps_before <= CLOSELY
        stale: int | None = None
        if close:
            known = stepped.carried.known
            held = [p for p in stepped.parameters if p.grad is not None]
            count = stepped.carried.stepped(held)
            stale = count if known else None
        norm = told["norm"]
        recording.steps.append(
            LoopStep(
                number=number,
                optimizer=stepped.number,
                backwards=self._since,
                loss=self._loss,
                norm=norm,
                rate=told["rate"],
                stale=stale,
                cleared=close and stepped.fresh and not norm,
            )
        )
        self._note_modes(stepped, number)
        stepped.pending, stepped.fresh, self._since = {}, False, 0
        failed = norm is not None and not isfinite(norm)
        if not failed and self._closely(number - self._steps_before):
            failed = not all(map(isfinite, norms(stepped.parameters)))
        if self.tracer is not None:
            self.tracer.step_ended(stepped.parameters, failed=failed, number=number)
        return failed

    def _note_modes(self, stepped: Stepped, number: int) -> None:
        held = {id(p) for p in stepped.parameters if p.requires_grad}
        for top in self.recording.models:
            if (
                top.used
                and self._since < MANY
                and any(id(p) in held for p in top.module.parameters())
            ):
                top.modes.append((number, all(top.used)))
            top.used = []

    @staticmethod
    def _closely(number: int) -> bool:
        return number <= CLOSELY or number % SELDOM == 0


def _wider(known: Any, term: Any) -> Any:
    """Return a term with the extremes of two."""
    lows = [t.low for t in (known, term) if t.low is not None]
    highs = [t.high for t in (known, term) if t.high is not None]
    return replace(known, low=min(lows, default=None), high=max(highs, default=None))

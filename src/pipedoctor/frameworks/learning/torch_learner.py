"""Training on one batch with torch: a step, a way back, and what the first step changed."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import partial
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.facts.step import Move
from pipedoctor.frameworks.restoring.interrupts import a_step
from pipedoctor.frameworks.restoring.stepping import Standing
from pipedoctor.frameworks.tracing.replay import Step
from pipedoctor.frameworks.training import graph

CLIP = 1.0
"""The norm that gradients are clipped to where AdamW is tried in place of the user's optimizer."""


class TorchLearner:
    """Trains a model on one batch; whoever makes one sees to it that all is put back."""

    def __init__(
        self,
        step: Step,
        inputs: Mapping[str, Any],
        optimizer: Any,
        standing: Standing,
        clip: float | None,
    ) -> None:
        """Keep what a step takes."""
        self.step = step
        self.inputs = inputs
        self.own = optimizer
        self.answer: Any = None
        """What the model returned last."""
        self.connected = True
        self.first: dict[str, float | None] = {}
        self.last: dict[str, float | None] = {}
        self.moves: dict[str, Move] = {}
        self.dead: dict[str, tuple[int, int]] = {}
        self.broadcast: tuple[tuple[int, ...], tuple[int, ...]] | None = None
        self._standing = standing
        self._clip = clip
        self._using = optimizer
        self._loss: Any = None
        self._trained = {name: p for name, p in step.model.named_parameters() if p.requires_grad}
        # The last one that is called is the outermost: the model itself, within wrappers too.
        self._watch = step.model.register_forward_hook(self._keep)

    def close(self) -> None:
        """Let go of the model."""
        self._watch.remove()
        self._loss = self.answer = None

    @property
    def stuck(self) -> bool:
        """Whether the loss depends on no trained parameter."""
        if not self._trained or not self.connected:
            return True
        return bool(self.first) and all(norm is None for norm in self.first.values())

    def begin(self, optimizer: str | None, rate: float | None) -> None:
        """Go back to where all stood, with the user's own optimizer or with AdamW."""
        import torch

        self._loss = None
        self._standing.put_back()
        self._clear()
        self._using = self.own
        if optimizer is not None:
            trained = list(self._trained.values())
            self._using = torch.optim.AdamW(trained, lr=rate or 0.0, weight_decay=0.0)
            return
        for group in self.own.param_groups:  # a schedule that warms up has set it to 0 by now
            group["lr"] = peak(group)

    @a_step
    def loss(self) -> float:
        """Compute the loss of the batch, with its graph."""
        import torch

        with torch.enable_grad():
            self._loss = self.step.loss(self.inputs)
        if getattr(self._loss, "numel", lambda: 1)() != 1:
            self._loss = self._loss.mean()
        self.connected = bool(self._loss.requires_grad)
        return float(self._loss.detach().float())

    def gather(self, share: float = 1.0) -> None:
        """Add the gradients of the loss that was computed last, or a share of them."""
        (self._loss * (self.step.scale * share)).backward()
        self._loss = None

    @a_step
    def update(self, share: float = 1.0) -> None:
        """Make one update from the loss that was computed last, and what was gathered before."""
        first = not self.first
        if first:
            self.look()
        self.gather(share)
        trained = list(self._trained.values())
        if self.step.scale != 1:
            for parameter in trained:
                if parameter.grad is not None:
                    parameter.grad.div_(self.step.scale)
        self.last = self._norms()
        if first:
            self.first = dict(self.last)
        import torch

        own = self._using is self.own
        clip = self._clip if own else CLIP
        if clip:
            torch.nn.utils.clip_grad_norm_(trained, clip)
        held = {id(p) for group in self._using.param_groups for p in group["params"]}
        self._using.step()
        if own and not self.moves:
            self.moves = dict(self._moved(held))
        self._clear()

    def look(self) -> None:
        """Read from the graph of the last loss which units are dead, and what was broadcast."""
        names = {id(p): name for name, p in self.step.model.named_parameters()}
        self.dead = graph.dead_units(self._loss, names)
        self.broadcast = graph.broadcast(self._loss, self.inputs)

    @a_step
    def without_graph(self, inputs: Mapping[str, Any]) -> float:
        """Compute the loss of another batch at the present weights."""
        import torch

        with torch.no_grad():
            return float(self.step.loss(inputs).detach().float().mean())

    @a_step
    def asked(self, inputs: Mapping[str, Any]) -> Any:
        """Return what the model answers to a batch, without a graph."""
        import torch

        with torch.no_grad(), self.step.half():
            return self.step.model(**inputs)

    @a_step
    def pull(self, inputs: Mapping[str, Any]) -> tuple[float, list[float | None]]:
        """Return the loss of another batch, and the norms of the gradients that it gives."""
        import torch

        with torch.enable_grad():
            loss = self.step.loss(inputs).mean()
        if loss.requires_grad:
            (loss * self.step.scale).backward()
        norms = list(self._norms().values())
        self._clear()
        return float(loss.detach().float()), norms

    def inactive(self, layer: str) -> bool:
        """Whether what a layer gives is nowhere above 0 and somewhere below: a dead one, not a lost one."""
        run = partial(self.without_graph, self.inputs)
        return graph.below_zero(self.step.model, layer, run)

    def _keep(self, _module: Any, _inputs: Any, answer: Any) -> None:
        self.answer = answer

    def _clear(self) -> None:
        for parameter in self.step.model.parameters():
            parameter.grad = None

    def _norms(self) -> dict[str, float | None]:
        import torch

        told: dict[str, float | None] = {}
        for name, parameter in self._trained.items():
            gradient = parameter.grad
            if gradient is None:
                told[name] = None
                continue
            values = gradient.coalesce().values() if gradient.is_sparse else gradient
            told[name] = float(torch.linalg.vector_norm(values.detach().float()))
        return told

    def _moved(self, held: set[int]) -> Any:
        import torch

        for name, parameter in self._trained.items():
            before = self._standing.of(parameter) if id(parameter) in held else None
            if before is None:
                continue
            now = parameter.detach()
            before = before.to(now.device)
            size = float(torch.linalg.vector_norm(before.float()))
            change = float(torch.linalg.vector_norm(now.float() - before.float()))
            yield (
                name,
                Move(
                    change / size if size else None,
                    int((now != before).sum()),
                    parameter.numel(),
                    str(parameter.dtype).removeprefix("torch."),
                    self.first.get(name),
                ),
            )


def peak(group: Mapping[str, Any]) -> Any:
    """Return the rate of a group as the user stated it, before any schedule."""
    rate, stated = group["lr"], group.get("initial_lr")
    return stated if stated is not None and stated > rate else rate


def demand_step(optimizer: Any) -> None:
    """Raise `Unavailable` where the optimizer can't step by itself."""
    parameters = inspect.signature(type(optimizer).step).parameters
    closure = parameters.get("closure")
    if closure is not None and closure.default is inspect.Parameter.empty:
        raise Unavailable(
            f"{type(optimizer).__name__} computes the loss itself several times a step"
        )


def without_dropout(model: Any) -> bool:
    """
    Switch dropout off in all modules; return whether there was any.

    Rates stand in attributes that are named after it, in those of torch and in those of
    transformers. To be used only where the modules' attributes are put back afterwards.
    """
    import torch

    found = False
    for module in model.modules():
        if isinstance(module, torch.nn.modules.dropout._DropoutNd) and module.p:  # noqa: SLF001 - the base of all kinds
            module.p, found = 0.0, True
        for name, value in list(vars(module).items()):
            named = "dropout" in name or name in {"layerdrop", "drop_path", "drop_prob"}
            if named and type(value) is float and value:
                setattr(module, name, 0.0)
                found = True
    return found

"""The fact `LiveSteps`: a copy of the model is trained for some steps on the device that is here."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.facts.live_steps import LiveSteps, Tried
from pipedoctor.frameworks.live.devices import here
from pipedoctor.frameworks.memory import optimizers
from pipedoctor.frameworks.memory.scene import Scene, scene
from pipedoctor.frameworks.restoring.restore import random_states
from pipedoctor.frameworks.training.memory import available
from pipedoctor.pipeline import Pipeline
from pipedoctor.probes.gpu import trying
from pipedoctor.probes.gpu.interface import Live
from pipedoctor.units import size

TIMES = 4
"""On a CPU, a copy of the weights, their gradients and two states: there must be room for them."""


def measure(pipeline: Pipeline, model: Any, live: Live | None = None) -> LiveSteps:
    """
    Run steps of a copy of the model, and find the largest batch where the device refuses more.

    Raises:
        Unavailable: No real steps are asked for, or they can't be run here.

    """
    import torch

    wishes: Mapping[str, Any] = pipeline.parts.get("memory") or {}
    if not wishes.get("live"):
        raise Unavailable("no real steps are asked for, as by --live")
    live = live or here(torch)
    stage = scene(pipeline, model)
    weights = sum(p.numel() * p.element_size() for p in model.parameters())
    free, total = live.room()
    if live.device == "cpu" and TIMES * weights > (available() or free):
        raise Unavailable(
            f"no room to train a copy: its weights, gradients and states take {size(TIMES * weights)}"
        )
    with random_states():
        step = _Steps(stage, live.device)
        first = trying.attempt(live, step, stage.rows)
        pieces = live.pieces()
        search = None
        if live.refuses:
            search = trying.largest(live, step, stage.rows)
        step.end()
        live.clean()
    if first.peak is None:
        raise Unavailable(
            f"{stage.rows} rows ran out of memory on {live.name} after {first.ran} of "
            f"{first.wanted} steps; the largest batch that ran has {search.largest if search else 0}"
        )
    notes = (
        () if search else ("the largest batch is not searched where the system ends processes",)
    )
    return LiveSteps(
        device=live.name,
        rows=stage.rows,
        length=stage.frame.length,
        steps=first.ran,
        allocated=first.peak.allocated,
        reserved=first.peak.reserved,
        free=free,
        total=total,
        unused=pieces.unused if pieces else None,
        split=pieces.split if pieces else None,
        retries=pieces.retries if pieces else None,
        largest=search.largest if search else None,
        certain=bool(search and search.certain),
        tried=tuple(
            Tried(one.rows, one.ran, one.wanted, one.peak.reserved if one.peak else None)
            for one in (search.trials if search else ())
        ),
        notes=notes,
    )


class _Steps:
    """Steps of a copy of the model, made at the first; gone with whatever runs out."""

    def __init__(self, stage: Scene, device: str) -> None:
        self._stage = stage
        self._device = device
        self._model: Any = None
        self._optimizer: Any = None

    def __call__(self, rows: int) -> None:
        import torch

        if self._model is None:
            self._model = _copied(self._stage.model, self._device)
            trained = [p for p in self._model.parameters() if p.requires_grad]
            self._optimizer = _optimizer(self._stage.optimizer, trained, self._device)
        inputs = {
            name: torch.zeros_like(value, device=self._device)
            if isinstance(value, torch.Tensor)
            else value
            for name, value in self._stage.frame.made(rows).items()
        }
        half, kind = self._stage.way.half, self._device.partition(":")[0]
        with torch.autocast(kind, dtype=half, enabled=half is not None):
            loss = self._stage.way.loss(self._model, inputs)
        try:
            loss.backward()
            self._optimizer.step()
        finally:
            self._optimizer.zero_grad()

    def end(self) -> None:
        """Let the copy go."""
        self._model = self._optimizer = None


def _copied(model: Any, device: str) -> Any:
    """Return a copy on a device; of a model without weights, one whose weights are all zero."""
    import torch

    if not any(parameter.is_meta for parameter in model.parameters()):
        return copy.deepcopy(model).to(device).train()
    made = copy.deepcopy(model).to_empty(device=device).train()
    with torch.no_grad():
        for tensor in (*made.parameters(), *made.buffers()):
            tensor.zero_()
    return made


def _optimizer(chosen: Any, trained: list[Any], device: str) -> Any:
    if isinstance(chosen, str):
        return optimizers.made(chosen, trained, gpu=device != "cpu")
    real = getattr(chosen, "optimizer", chosen)
    return optimizers.twin(real, trained)

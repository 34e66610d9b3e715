"""The fact `MemoryPlan`: a step is gone through at the batch of the run, and at others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from pipedoctor.fact import Unavailable, unknown
from pipedoctor.facts.memory_plan import Evaluated, Held, MemoryPlan
from pipedoctor.frameworks.memory import (
    baseline,
    evaluating,
    formula,
    ledger,
    optimizers,
    remedies,
    saving,
)
from pipedoctor.frameworks.memory.scene import Scene, Untraceable, scene
from pipedoctor.frameworks.memory.step import Pass
from pipedoctor.frameworks.training.memory import available
from pipedoctor.pipeline import Pipeline
from pipedoctor.probes.memory import gpus, laws

PROCESSES = 8
"""For so many GPUs the remedies are told that share, where their number is not stated."""

TRIES = 3
"""So many batches are gone through in search of the largest; the first is nearly always it."""

BATCHES = (1, 2, 4, 8, 16, 32, 64, 128)
"""The batches whose totals are told."""

SHOWN = 8
"""So many kinds of tensors are named."""


def measure(pipeline: Pipeline, model: Any) -> MemoryPlan:
    """
    Plan the memory of a training.

    Raises:
        Unavailable: It is not known what is to be planned for, or the model can't be gone through.

    """
    wishes: Mapping[str, Any] = pipeline.parts.get("memory") or {}
    gpu, room = device(wishes)
    if not wishes:
        raise Unavailable("no memory to plan for is stated, as by --memory 24GiB")
    stage = scene(pipeline, model)
    plan = _Plan(stage, gpu, room, wishes)
    return plan.told(lambda states: evaluating.measure(pipeline, stage, states, room))


def device(wishes: Mapping[str, Any]) -> tuple[str, int | None]:
    """Return the name and the memory of the GPU that is planned for."""
    if wishes.get("gpu"):
        return gpus.memory(str(wishes["gpu"]))
    room = wishes.get("room")
    return "", None if room is None else int(room)


class _Plan:
    """One plan in the making."""

    def __init__(
        self, stage: Scene, gpu: str, room: int | None, wishes: Mapping[str, Any]
    ) -> None:
        self._scene = stage
        self._gpu = gpu
        self._room = room
        self._wishes = wishes
        self._notes = stage.notes
        model = stage.model
        every = {id(p): p for p in model.parameters()}.values()
        self._weights = sum(p.numel() * p.element_size() for p in every)
        buffers = {id(b): b for b in model.buffers()}.values()
        self._buffers = sum(b.numel() * b.element_size() for b in buffers)
        self._gradients = sum(p.numel() * p.element_size() for p in every if p.requires_grad)
        self._count = sum(p.numel() for p in every)
        self._trainable = sum(p.numel() for p in every if p.requires_grad)
        if not self._trainable:
            raise Unavailable("no parameter of the model is trained")

    def told(self, evaluation: Callable[[int], Evaluated | None]) -> MemoryPlan:
        stage = self._scene
        step = stage.step()
        try:
            taken = stage.run(stage.rows)
        except Untraceable as reason:
            self._notes.append(f"told by formula: {type(stage.model).__name__} {reason}")
            taken = formula.taken(stage, self._weights + self._buffers, self._gradients)
            return self._plan(taken, step, traced=False)
        return replace(self._plan(taken, step, traced=True), **self._evaluated(evaluation, step))

    def _evaluated(
        self, evaluation: Callable[[int], Evaluated | None], step: optimizers.Stepped
    ) -> dict[str, Any]:
        """Return the evaluation, and the notes with those of it."""
        found = evaluation(step.states)
        return {"evaluation": found, "notes": tuple(self._notes)}

    def _plan(self, taken: Pass, step: optimizers.Stepped, *, traced: bool) -> MemoryPlan:
        stage = self._scene
        resident = self._weights + self._buffers + self._gradients
        passes, least = baseline.peaks(taken, step, resident)
        peak = max(passes, least)
        if passes >= least:
            moment = f"{taken.moment} pass"
            parts = {**taken.parts, "states": step.states}
            held = held_of(taken.entries)
        else:
            moment = optimizers.STEP
            parts = {
                "weights": self._weights,
                "buffers": self._buffers,
                "gradients": self._gradients,
                "states": step.states,
                "temporary": step.temporary,
            }
            # What the allocator rounds up, tensor by tensor, belongs to what it holds.
            parts["temporary"] += peak - sum(parts.values())
            held = held_of(step.entries)
        context, margin = laws.whole(peak, gpu=stage.way.gpu)
        plan: dict[str, Any] = {
            "name": type(stage.model).__name__,
            "parameters": self._count,
            "trainable": self._trainable,
            "rows": stage.rows,
            "parts": {name: size for name, size in parts.items() if size},
            "peak": peak,
            "moment": moment,
            "context": context,
            "margin": margin,
            "device": "gpu" if stage.way.gpu else "cpu",
            "gpu": self._gpu,
            "room": self._room,
            "length": stage.frame.length,
            "optimizer": step.name,
            "held": held,
            "step_peak": least,
            "traced": traced,
            "shared": stage.shared,
            **_saving(stage),
        }
        if traced:
            base = baseline.Base(
                taken,
                step,
                self._weights + self._buffers,
                self._gradients,
                peak + context + margin,
                _unit(stage.model),
                self._room,
                int(self._wishes.get("gpus") or PROCESSES),
                self._gpu,
            )
            plan |= self._largest(taken, step, least) | self._usual(step, least)
            plan["remedies"] = tuple(remedies.all_of(stage, base))
        else:
            plan["batches"] = unknown("the step could not be gone through")
        return MemoryPlan(**plan, notes=tuple(self._notes))

    def _largest(self, taken: Pass, step: optimizers.Stepped, least: int) -> dict[str, Any]:
        """Return what batches take, and the largest that fits, which is gone through."""
        gpu = self._scene.way.gpu
        law = baseline.law(taken, self._scene.rows, step, least)
        told: dict[str, Any] = {
            "batches": {rows: whole(law.at(rows), gpu) for rows in BATCHES},
        }
        if self._room is None:
            told["fits_on"] = {
                name: law.most(laws.usable(gpus.memory(name)[1], gpu=gpu)) for name in gpus.COMMON
            }
            return told
        usable = laws.usable(self._room, gpu=gpu)
        rows = law.most(usable)
        for _ in range(TRIES):
            if not rows:
                return told | {"largest": 0}
            there = self._scene.run(rows)
            peak = max(there.peak + step.states, least)
            told["verified"] = {"rows": rows, "law": int(law.at(rows)), "traced": peak}
            if peak <= usable:
                if rows < self._scene.rows:
                    told["largest_accumulated"] = self._accumulated(rows, step, least, usable)
                return told | {"largest": rows, "largest_total": whole(peak, gpu)}
            law = baseline.law(there, rows, step, least)
            rows = min(rows - 1, law.most(usable))
        return told

    def _accumulated(self, rows: int, step: optimizers.Stepped, least: int, usable: float) -> int:
        """Return the rows that fit, of so many at most, where gradients stay between batches."""
        there = self._scene.run(rows, accumulated=True)
        return min(rows, baseline.law(there, rows, step, least).most(usable))

    def _usual(self, step: optimizers.Stepped, least: int) -> dict[str, Any]:
        """Return the figures at the length of an ordinary batch, where it is a shorter one."""
        usual, longest = self._scene.frame.usual, self._scene.frame.length
        if usual is None or longest is None or usual >= longest:
            return {"usual_length": usual}
        passes = self._scene.run(self._scene.rows, usual).peak + step.states
        peak = max(passes, least)
        return {"usual_length": usual, "usual_total": whole(peak, self._scene.way.gpu)}


def _saving(stage: Scene) -> dict[str, int]:
    """Return what a checkpoint takes of the machine's memory, where the model is on a GPU."""
    if not stage.way.gpu or stage.shared:
        return {}
    import transformers

    needed = saving.needed(stage.model, int(transformers.__version__.partition(".")[0]))
    free = available()
    return {"saving": needed, **({} if free is None else {"free": free})}


def whole(peak: float, gpu: bool) -> int:
    """Return a peak with its context and margin."""
    return int(peak) + sum(laws.whole(peak, gpu=gpu))


def held_of(entries: Any) -> tuple[Held, ...]:
    """Return the largest kinds of tensors among entries."""
    kinds: dict[tuple[str, str, str, tuple[int, ...], str], int] = {}
    for entry in entries:
        name = entry.name.removeprefix("aten.")
        key = (
            entry.kind,
            name,
            ledger.layers_as_one(entry.module),
            entry.shape,
            entry.dtype,
        )
        kinds[key] = kinds.get(key, 0) + entry.size
    largest = sorted(kinds.items(), key=lambda item: -item[1])[:SHOWN]
    return tuple(Held(*key, size) for key, size in largest)


def _unit(model: Any) -> int:
    """Return the bytes of the largest layer: what FSDP and ZeRO-3 gather at a time."""
    import torch

    layers = [
        layer
        for holder in model.modules()
        if isinstance(holder, torch.nn.ModuleList)
        for layer in holder
    ]
    sizes = [sum(p.numel() * p.element_size() for p in layer.parameters()) for layer in layers]
    whole = [p.numel() * p.element_size() for p in model.parameters()]
    return max([*sizes, *whole], default=0)

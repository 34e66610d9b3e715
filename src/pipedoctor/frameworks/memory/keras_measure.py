"""The fact `MemoryPlan` of a compiled model of Keras: variables exactly, activations as an estimate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipedoctor.fact import Unavailable, unknown
from pipedoctor.facts.memory_plan import MemoryPlan, Remedy
from pipedoctor.frameworks.memory import keras_slots
from pipedoctor.frameworks.memory.baseline import TRACED
from pipedoctor.frameworks.memory.keras_scene import HALF, Scene, scene
from pipedoctor.frameworks.memory.keras_xla import ASSIGNED, SECONDS
from pipedoctor.frameworks.memory.measure import BATCHES, TRIES, device, held_of, whole
from pipedoctor.frameworks.memory.optimizers import STEP
from pipedoctor.frameworks.memory.step import Pass
from pipedoctor.pipeline import Pipeline
from pipedoctor.probes.memory import gpus, laws

SAID = {
    "tensorflow": "an estimate: the step is traced, and what its backward pass needs is counted; "
    "TensorFlow runs what is ready in an order that differs from run to run, and its kernels take "
    "room besides; on a CPU, such estimates were 0.80 to 1.36 of the real peaks",
    "torch": "an estimate: the step is run without values, in the order that torch runs it in; its "
    "kernels take room besides; on a CPU, such estimates were 0.92 to 1.12 of the real peaks",
}

BY_XLA = (
    "the peak is what XLA assigns to the step, which was compiled for the device that JAX has here "
    "and not run"
)
NOT_BY_XLA = (
    "an estimate: the step is traced; XLA fuses and orders it in its own way, and what it chooses "
    "on the device that is planned for is not known"
)
LARGER = ". It was compiled for the device that is here, and the larger of both figures is told"

SPREAD: Mapping[str, tuple[float, float]] = {
    "tensorflow": (0.73, 1.25),
    "torch": (0.89, 1.09),
}
"""The least and the most that real peaks were of the estimates: benchmarks/keras_memory.py."""

ALIKE = 0.01
"""A law that tells a batch's peak this well is the right one there."""

WORTH = 0.005
"""What gains a smaller share of the whole is not told."""

TOLD = {
    "Adafactor": "other steps: the learning rate must be found again",
    "Lion": "other steps, with about a tenth of the learning rate",
    "SGD": "other steps, mostly far more of them",
}
"""Optimizers that keep less, and what one pays for it."""


def measure(pipeline: Pipeline) -> MemoryPlan:
    """
    Plan the memory of a fit.

    Raises:
        Unavailable: It is not known what is to be planned for, or the step can't be traced.

    """
    wishes: Mapping[str, Any] = pipeline.parts.get("memory") or {}
    if not wishes:
        raise Unavailable("no memory to plan for is stated, as by --memory 24GiB")
    gpu, room = device(wishes)
    return _Plan(scene(pipeline), gpu, room).told()


class _Plan:
    """One plan in the making."""

    def __init__(self, stage: Scene, gpu: str, room: int | None) -> None:
        self._scene = stage
        self._gpu = gpu
        self._room = room
        model = stage.model
        trained = {id(one) for one in stage.trained}
        every = {id(one): one for one in model.variables}.values()
        self._gradients = sum(keras_slots.size(one) for one in stage.trained)
        self._buffers = sum(
            keras_slots.size(one) for one in every if id(one) not in trained and _is_state(one)
        )
        self._weights = sum(keras_slots.size(one) for one in every) - self._buffers
        self._count = sum(keras_slots.count(one.shape) for one in every if not _is_state(one))
        self._trainable = sum(keras_slots.count(one.shape) for one in stage.trained)
        if not self._trainable:
            raise Unavailable("no variable of the model is trained")
        self._spread: tuple[float, float] | None = None
        self._states = stage.states()
        self._updating = stage.updating()
        if stage.compiler is not None:
            stage.compiler.fixed = self._fixed

    @property
    def _fixed(self) -> int:
        return self._weights + self._buffers + self._states

    def told(self) -> MemoryPlan:
        stage = self._scene
        rows = stage.frame.rows
        taken = stage.run(rows)
        passes = taken.peak + self._fixed
        batch = taken.parts.get("inputs", 0)
        compiler = stage.compiler
        by_xla = compiler is not None and compiler.exact
        if by_xla:  # it may write a gradient where the weight is, and never hold them all
            self._gradients = 0
        least = self._fixed + self._gradients + self._updating + batch
        peak = max(passes, least)
        self._spread = (1.0, 1.0) if by_xla else SPREAD.get(stage.library.backend)
        parts = {"weights": self._weights, "buffers": self._buffers, "states": self._states}
        if passes >= least:
            assigned = ASSIGNED in taken.parts
            moment = "compiled step" if assigned else f"{taken.moment} pass"
            held = held_of(taken.entries)
            for name, size in taken.parts.items():
                parts[name] = parts.get(name, 0) + size
        else:
            moment, held = STEP, ()
            parts |= {"gradients": self._gradients, "inputs": batch, "temporary": self._updating}
        context, margin = laws.whole(peak, gpu=stage.gpu)
        law = self._law(taken, rows)
        plan: dict[str, Any] = {
            "name": type(stage.model).__name__,
            "library": "keras",
            "parameters": self._count,
            "trainable": self._trainable,
            "rows": rows,
            "parts": {name: size for name, size in parts.items() if size},
            "peak": peak,
            "moment": moment,
            "context": context,
            "margin": margin,
            "device": "gpu" if stage.gpu else "cpu",
            "gpu": self._gpu,
            "room": self._room,
            "length": stage.frame.length,
            "optimizer": type(stage.model.optimizer).__name__,
            "held": held,
            "step_peak": least,
            "spread": self._spread,
            "uncounted": stage.uncounted,
            "batches": unknown(stage.uncounted)
            if stage.uncounted
            else {n: whole(law.at(n), stage.gpu) for n in BATCHES},
        }
        if not stage.uncounted:
            plan |= self._largest(law)
        total = peak + context + margin
        remedies = [one for one in self._remedies(law, taken) if total - one.total > WORTH * total]
        plan["remedies"] = tuple(sorted(remedies, key=lambda remedy: remedy.total))
        return MemoryPlan(**plan, notes=(self._said(), *stage.notes))

    def _said(self) -> str:
        compiler = self._scene.compiler
        if compiler is None:
            return SAID[self._scene.library.backend]
        if compiler.exact:
            later = "" if compiler.spent < SECONDS else "; not all other batches were compiled"
            return BY_XLA + later
        return NOT_BY_XLA + (f" ({compiler.failed})" if compiler.failed else LARGER)

    def _usable(self, room: float) -> float:
        """Return the largest estimate of which even the most that it can mean fits."""
        most = self._spread[1] if self._spread is not None else 1.0
        return laws.usable(room, gpu=self._scene.gpu) / most

    def _law(self, taken: Pass, rows: int, fixed: int | None = None) -> laws.Law:
        """Return the law of the peak by rows, of this batch and of one twice as large."""
        return self._through(taken.peak, rows, self._scene.run(2 * rows).peak, 2 * rows, fixed)

    def _through(
        self, one: int, rows: int, other: int, more: int, fixed: int | None = None
    ) -> laws.Law:
        fixed = self._fixed if fixed is None else fixed
        each = max(0.0, (other - one) / (more - rows))
        least = fixed + self._gradients + self._updating
        return laws.Law(((fixed + max(0.0, one - each * rows), each),), least)

    def _largest(self, law: laws.Law) -> dict[str, Any]:
        """Return the largest batch that fits, which is gone through."""
        gpu = self._scene.gpu
        if self._room is None:
            return {
                "fits_on": {
                    name: law.most(self._usable(gpus.memory(name)[1])) for name in gpus.COMMON
                }
            }
        usable = self._usable(self._room)
        told: dict[str, Any] = {}
        accumulates = getattr(self._scene.model.optimizer, "gradient_accumulation_steps", None)
        more = 0 if accumulates else sum(map(keras_slots.size, self._scene.trained))
        for _ in range(TRIES):
            rows = law.most(usable)
            if not rows:
                return told or {"largest": 0}
            raw = self._scene.run(rows).peak
            peak = max(raw + self._fixed, int(law.least))
            verified = {"rows": rows, "law": int(law.at(rows)), "traced": peak}
            compiler = self._scene.compiler
            if compiler is not None and compiler.told and rows not in compiler.told:
                verified = {}  # there was no time to compile it
            if peak <= usable:
                told = {
                    "largest": rows,
                    "largest_total": whole(peak, gpu),
                    "largest_accumulated": min(rows, law.most(usable - more)),
                    "verified": verified,
                }
            if rows == 1 or (peak <= usable and abs(law.at(rows) - peak) <= ALIKE * peak):
                return told or {"largest": 0, "verified": verified}
            # Of small batches other moments are the peak: the law is taken anew, of large ones.
            half = rows // 2
            law = self._through(self._scene.run(half).peak, half, raw, rows)
        return told

    def _remedies(self, law: laws.Law, taken: Pass) -> Iterator[Remedy]:
        stage, rows = self._scene, self._scene.frame.rows
        if rows >= 2 and not getattr(stage.model.optimizer, "gradient_accumulation_steps", None):
            half = rows // 2
            change = f"batch_size={half}, and gradient_accumulation_steps=2 in the optimizer"
            peak = law.at(half) + self._gradients
            yield self._remedy(change, "nothing but a little time", "law of the batch", peak)
        policy = str(getattr(getattr(stage.model, "dtype_policy", None), "name", ""))
        if policy == "float32" and not stage.library.second:
            try:
                there, twice = stage.run(rows, HALF), stage.run(2 * rows, HALF)
            except Unavailable:
                pass  # this change can't be gone through here, so nothing is claimed of it
            else:
                by_rows = self._through(there.peak, rows, twice.peak, 2 * rows)
                change = f'keras.mixed_precision.set_global_policy("{HALF}"), before the layers'
                cost = "precision; faster, on a GPU of Ampere or later"
                yield self._remedy(change, cost, TRACED, by_rows.at(rows), by_rows)
        yield from self._optimizers(law, taken)

    def _optimizers(self, law: laws.Law, taken: Pass) -> Iterator[Remedy]:
        stage, rows = self._scene, self._scene.frame.rows
        mine = type(stage.model.optimizer).__name__
        for name, cost in TOLD.items():
            kind = getattr(stage.library.top.optimizers, name, None)
            if kind is None or name == mine:
                continue
            try:
                states = stage.states(kind(learning_rate=1e-3))
            except Unavailable:
                continue
            less = self._states - states
            by_rows = laws.Law(
                tuple((fixed - less, each) for fixed, each in law.lines), law.least - less
            )
            peak = max(taken.peak + self._fixed - less, by_rows.least)
            change = f"optimizer=keras.optimizers.{name}(…)"
            yield self._remedy(change, cost, "its variables", peak, by_rows, rows)

    def _remedy(
        self,
        change: str,
        cost: str,
        how: str,
        peak: float,
        by_rows: laws.Law | None = None,
        _rows: int = 0,
    ) -> Remedy:
        gpu, largest = self._scene.gpu, None
        if by_rows is not None and self._room is not None and not self._scene.uncounted:
            largest = by_rows.most(self._usable(self._room))
        return Remedy(change, whole(peak, gpu), how, cost, largest)


def _is_state(variable: Any) -> bool:
    """Whether a variable is the state of a random seed, which is no parameter of the model."""
    return "seed" in str(getattr(variable, "path", getattr(variable, "name", "")))

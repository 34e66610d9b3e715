"""The peak of an evaluation beside a training: its forward pass is gone through without values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pipedoctor.fact import Split, Unavailable
from pipedoctor.facts.kept_predictions import KeptPredictions
from pipedoctor.facts.memory_plan import Evaluated
from pipedoctor.facts.rows import Rows
from pipedoctor.frameworks.memory.frames import frame, rows_of
from pipedoctor.frameworks.memory.scene import Scene, Untraceable
from pipedoctor.frameworks.overrides import made_by
from pipedoctor.frameworks.training.own_loss import LIBRARIES, has_own_loss
from pipedoctor.pipeline import Pipeline, ProbeFailed
from pipedoctor.probes.memory import laws

OWN = ("prediction_step", "evaluation_loop", "evaluate")
"""What a trainer that overrides does in an evaluation is not known."""

MOST_ROWS = 2**20


@dataclass(frozen=True)
class _Kept:
    """What waits for the metrics on the device: bytes of a row, of so many rows at most."""

    each: int = 0
    rows: int = 0


def measure(pipeline: Pipeline, scene: Scene, resident: int, room: int | None) -> Evaluated | None:
    """
    Return what an evaluation takes; `resident` is what lies there that no forward pass makes.

    None where nothing is evaluated. Where it can't be gone through, the notes of the scene say so.
    """
    if "eval_data" not in pipeline.parts:
        return None
    try:
        return _measured(pipeline, scene, resident, room)
    except (Untraceable, Unavailable, ProbeFailed, ImportError) as reason:
        why = str(reason)
    except Exception as error:  # noqa: BLE001 - the user's model may raise anything when it evaluates
        why = f"{type(error).__name__}: {error}"
    scene.notes.append(f"the evaluation is not gone through ({why.splitlines()[0][:160]})")
    return None


def _measured(pipeline: Pipeline, scene: Scene, resident: int, room: int | None) -> Evaluated:
    trainer = pipeline.parts.get("trainer")
    made = {name: made_by(trainer, name) for name in OWN} if trainer is not None else {}
    own = next((name for name, maker in made.items() if maker not in {*LIBRARIES, None}), None)
    if own is not None:
        raise Unavailable(f"{type(trainer).__name__} has a {own} of its own")
    settings = scene.settings
    if settings is not None and settings.get("predict_with_generate") is True:
        raise Unavailable("it generates, and how long its answers are is not known before")
    wishes: Mapping[str, Any] = pipeline.parts.get("memory") or {}
    used = pipeline.fact(Rows, Split.EVAL).used
    batch = frame(pipeline, scene.model, wishes.get("length"), Split.EVAL)
    rows = rows_of(settings, None, used, "per_device_eval_batch_size")
    way = {} if has_own_loss(trainer) else {"loss": _answer(trainer)}
    kept = _kept(pipeline, rows)
    peak, logits = scene.evaluate(batch, rows, **way)
    law = _law(lambda n: scene.evaluate(batch, n, **way)[0], rows, peak)

    def at(n: int) -> int:
        return _peak(law(n), n, kept, resident, scene)

    whole = at(rows)
    largest = None
    if room is not None:
        usable = laws.usable(room, gpu=scene.way.gpu)
        largest = _most(at, usable, used)
    return Evaluated(
        rows=rows,
        length=batch.length,
        peak=whole,
        total=whole + sum(laws.whole(whole, gpu=scene.way.gpu)),
        kept=kept.each * kept.rows,
        logits=logits,
        largest=largest,
    )


def _answer(trainer: Any) -> Callable[[Any, Any], Any]:
    """Return what stands for the loss: the answers, and what is kept of them, as Trainer has them."""
    from pipedoctor.frameworks.torch import outputs_of

    reduce = getattr(trainer, "preprocess_logits_for_metrics", None)
    metrics = getattr(trainer, "compute_metrics", None)

    def answer(model: Any, inputs: Mapping[str, Any]) -> Any:
        outputs = outputs_of(model(**inputs))
        if reduce is None or metrics is None:
            return outputs
        values = tuple(value for name, value in outputs.items() if name != "loss")
        return reduce(values[0] if len(values) == 1 else values, inputs.get("labels"))

    return answer


def _kept(pipeline: Pipeline, rows: int) -> _Kept:
    """Return what is kept on the device, where a planned evaluation keeps anything there."""
    if "trainer" not in pipeline.parts:
        return _Kept()
    try:
        told = pipeline.fact(KeptPredictions)
    except (Unavailable, ProbeFailed):
        return _Kept()
    if told.device != "gpu":
        return _Kept()
    there = told.rows if not told.moved_every else min(told.rows, told.moved_every * rows)
    return _Kept(told.row_bytes, there)


def _peak(forward: int, rows: int, kept: _Kept, resident: int, scene: Scene) -> int:
    """
    Return the peak of an evaluation with batches of so many rows.

    What is kept grows by concatenation: for a moment the old, the new and the batch are there.
    """
    before = max(0, kept.rows - rows) * kept.each
    joined = before + kept.rows * kept.each + min(rows, kept.rows) * kept.each if before else 0
    weights: int = sum(
        one.numel() * one.element_size()
        for one in {id(p): p for p in (*scene.model.parameters(), *scene.model.buffers())}.values()
    )
    return resident + max(forward + before, weights + joined)


def _law(run: Callable[[int], int], rows: int, peak: int) -> Callable[[int], int]:
    """Return the peak of the forward pass by rows, of this batch and of another."""
    other = rows // 2 if rows > 1 else 2
    there = run(other)
    each = max(0.0, (peak - there) / (rows - other))
    return lambda n: int(peak + each * (n - rows))


def _most(at: Callable[[int], int], usable: float, used: int | None) -> int:
    """Return the most rows with which an evaluation fits; 0 if none do."""
    low, high = 0, used or MOST_ROWS
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if at(middle) <= usable else (low, middle - 1)
    return low

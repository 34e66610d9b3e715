"""What an evaluation keeps: an evaluation step is gone through without values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipedoctor.fact import Split, Unavailable, unknown
from pipedoctor.facts.kept_predictions import KeptPredictions
from pipedoctor.facts.rows import Rows
from pipedoctor.frameworks.memory.frames import frame
from pipedoctor.frameworks.memory.hollow import hollow, without_values
from pipedoctor.frameworks.memory.scene import Untraceable, telling
from pipedoctor.frameworks.training.memory import available
from pipedoctor.pipeline import Pipeline
from pipedoctor.probes.memory import gpus

ROWS = 2
"""The rows that are gone through; what one keeps is their half."""


def measure(pipeline: Pipeline, model: Any) -> KeptPredictions:
    """
    Return what an evaluation keeps.

    Raises:
        Unavailable: It keeps nothing, or that can't be told.

    """
    trainer = pipeline.part("trainer")
    arguments = trainer.args
    if trainer.compute_metrics is None or getattr(arguments, "prediction_loss_only", False):
        raise Unavailable("without metrics, only the losses are kept")
    if getattr(arguments, "batch_eval_metrics", False):
        raise Unavailable("the metrics are computed batch by batch, and nothing is kept")
    if getattr(arguments, "predict_with_generate", False):
        raise Unavailable("what is generated is not known before")
    rows = pipeline.fact(Rows, Split.EVAL).used
    if rows is None:
        raise Unavailable("the evaluation data has no length")
    wishes: Mapping[str, Any] = pipeline.parts.get("memory") or {}
    room = gpus.memory(str(wishes["gpu"]))[1] if wishes.get("gpu") else wishes.get("room")
    outputs = _of_a_row(pipeline, model, trainer, wishes.get("length"))
    # Whoever states a GPU plans for another machine than this one.
    free = None if wishes else available()
    return KeptPredictions(
        rows=rows,
        row_bytes=sum(outputs.values()),
        outputs=outputs,
        moved_every=getattr(arguments, "eval_accumulation_steps", None),
        device="cpu" if getattr(arguments, "use_cpu", False) else "gpu",
        room=room,
        free=unknown("the free memory is not told here") if free is None else free,
    )


def _of_a_row(pipeline: Pipeline, model: Any, trainer: Any, length: int | None) -> dict[str, int]:
    """Return the bytes that a row keeps, by the names of outputs."""
    import torch

    from pipedoctor.frameworks.torch import outputs_of

    framed = frame(pipeline, model, length, Split.EVAL)
    ignored = getattr(getattr(model, "config", None), "keys_to_ignore_at_inference", None)
    left = {"loss", *(ignored or ("past_key_values",))}
    reduce = getattr(trainer, "preprocess_logits_for_metrics", None)
    try:
        with without_values(), telling(), torch.no_grad():
            twin = hollow(model).eval()
            inputs = framed.made(ROWS)
            answer = outputs_of(twin(**inputs))
            kept = {name: value for name, value in answer.items() if name not in left}
            if reduce is not None:
                values = tuple(kept.values())
                logits = values[0] if len(values) == 1 else values
                kept = {
                    "what preprocess_logits_for_metrics returns": reduce(
                        logits, inputs.get("labels")
                    )
                }
            return {name: _bytes(value) // ROWS for name, value in kept.items()}
    except Untraceable as reason:
        raise Unavailable(f"an evaluation step can't be gone through: {reason}") from None


def _bytes(value: Any) -> int:
    """Return the bytes of the tensors in an output, in float32 where they are in half precision."""
    if isinstance(value, Mapping):
        return sum(map(_bytes, value.values()))
    if isinstance(value, (tuple, list)):
        return sum(map(_bytes, value))
    if not hasattr(value, "element_size"):
        return 0
    return int(value.numel()) * int(
        max(value.element_size(), 4 if value.is_floating_point() else 1)
    )

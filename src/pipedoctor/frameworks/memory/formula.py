"""Where a model can't be gone through: activations of a transformer by their formula."""

from __future__ import annotations

from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.frameworks.memory.scene import Scene
from pipedoctor.frameworks.memory.step import ACTIVATIONS, FORWARD, LOGITS, Pass
from pipedoctor.probes.memory.laws import transformer_activations

NAMES = {
    "layers": ("num_hidden_layers", "n_layer", "num_layers"),
    "hidden": ("hidden_size", "n_embd", "d_model"),
    "heads": ("num_attention_heads", "n_head", "num_heads"),
}


def taken(scene: Scene, weights: int, gradients: int) -> Pass:
    """
    Return what a pass takes by formula; logits count three times: they, their log and gradient.

    Raises:
        Unavailable: The config does not tell what the formula needs.

    """
    config = getattr(scene.model, "config", None)
    sizes = {key: _stated(config, names) for key, names in NAMES.items()}
    lacking = [key for key, size in sizes.items() if size is None]
    length = scene.frame.length
    if lacking or length is None:
        raise Unavailable(
            f"{type(scene.model).__name__} can't be gone through without values, and its config "
            f"does not tell {', '.join(lacking) or 'a length'} for a formula"
        )
    width = 1 if scene.way.half is not None else 2  # in float32, twice as much
    kept = width * transformer_activations(
        int(sizes["layers"] or 0),
        int(sizes["hidden"] or 0),
        int(sizes["heads"] or 0),
        scene.rows * length,
        length,
    )
    logits = 3 * 4 * scene.rows * length * scene.way.vocabulary
    parts = {"weights": weights, ACTIVATIONS: kept, LOGITS: logits}
    if scene.way.accumulated:
        parts["gradients"] = gradients
    return Pass(peak=sum(parts.values()), moment=FORWARD, parts=parts)


def _stated(config: Any, names: tuple[str, ...]) -> int | None:
    found = (getattr(config, name, None) for name in names)
    return next((value for value in found if isinstance(value, int)), None)

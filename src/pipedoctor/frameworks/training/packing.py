"""Whether the texts of a packed row see each other: tried, whatever implements the attention."""

from __future__ import annotations

import inspect
from typing import Any

from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts.packing import Packing
from pipedoctor.facts.settings import Settings
from pipedoctor.frameworks.data.batches import Batches
from pipedoctor.frameworks.restoring.restore import evaluating, random_states
from pipedoctor.frameworks.training.memory import demand_weights
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes.preview.arrays import to_numpy

MOST = 64
"""Of each of the two texts so many tokens at most are run: the attention is the same."""


@probe(Packing, Cost.FORWARD, "model", "train_data", user_code=True)
def packing(pipeline: Pipeline, _split: Split) -> Packing:
    """Run two texts of a packed row, and again with the first one's tokens changed."""
    import torch

    model = pipeline.part("model")
    if not isinstance(model, torch.nn.Module):
        raise Unavailable("the model is no module of torch")
    demand_weights(model)
    arrays = pipeline.fact(Batches, Split.TRAIN).made[0].arrays
    begins, length = _texts(arrays)
    first = min(begins[1], MOST)
    second = min((begins[2] if len(begins) > 2 else length) - begins[1], MOST)
    ids = arrays["input_ids"][:1]
    taken = [*range(begins[1] - first, begins[1]), *range(begins[1], begins[1] + second)]
    device = next(model.parameters()).device
    inputs: dict[str, Any] = {
        "input_ids": ids[:, taken].to(device),
        "position_ids": torch.tensor([[*range(first), *range(second)]], device=device),
        **_beside(arrays, first, second, device),
        **_cache(pipeline, model),
    }
    rows = model.get_input_embeddings().weight.shape[0]
    changed = inputs["input_ids"].clone()
    changed[:, :first] = (changed[:, :first] + 1) % rows
    with random_states(), evaluating(model), torch.no_grad():
        before = _logits(model(**inputs))[:, first:]
        after = _logits(model(**{**inputs, "input_ids": changed}))[:, first:]
    config: Any = getattr(model, "config", None)
    return Packing(
        texts=len(begins),
        change=float((after - before).abs().max()),
        scale=float(before.abs().max()),
        attention=str(getattr(config, "_attn_implementation", "") or ""),
    )


def _texts(arrays: Any) -> tuple[list[int], int]:
    """Return where the texts of the first row begin, and where its last one ends."""
    import numpy as np

    positions = to_numpy(arrays.get("position_ids"))
    ids = to_numpy(arrays.get("input_ids"))
    if positions is None or positions.ndim != 2 or ids is None or positions.shape != ids.shape:
        raise Unavailable("the batch has no positions, so nothing tells where its texts begin")
    mask = to_numpy(arrays.get("attention_mask"))
    length = ids.shape[1]
    if mask is not None:
        if mask.shape != ids.shape:
            raise Unavailable("the attention mask says itself what sees what")
        length = int((mask[0] != 0).sum())
    begins = np.flatnonzero(positions[0, :length] == 0).tolist()
    if len(begins) < 2 or begins[0] != 0:
        raise Unavailable("the first row of the batch holds one text")
    return begins, length


def _beside(arrays: Any, first: int, second: int, device: Any) -> dict[str, Any]:
    """Return what the collator makes besides, for these two texts."""
    import torch

    told: dict[str, Any] = {}
    if arrays.get("attention_mask") is not None:
        told["attention_mask"] = torch.ones(
            (1, first + second), dtype=arrays["attention_mask"].dtype, device=device
        )
    ends = torch.tensor([0, first, first + second], dtype=torch.int32, device=device)
    for name in ("cu_seq_lens_q", "cu_seq_lens_k"):
        if name in arrays:
            told[name] = ends
    for name in ("max_length_q", "max_length_k"):
        if name in arrays:
            told[name] = max(first, second)
    return told


def _cache(pipeline: Pipeline, model: Any) -> dict[str, bool]:
    """Return whether the model keeps a cache, as the trainer sets it: with one, texts mix."""
    settings = pipeline.optional(Settings)
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    if "use_cache" not in inspect.signature(base.forward).parameters:
        return {}
    known = settings is None or "use_cache" in settings.arguments.fields
    return (
        {"use_cache": settings is not None and settings.get("use_cache") is True} if known else {}
    )


def _logits(answer: Any) -> Any:
    logits = getattr(answer, "logits", None)
    if logits is None:
        raise Unavailable("the model returns no logits")
    return logits.float()

"""
Which folder a model in memory was loaded from, where nobody saw it being loaded.

A model knows a name, but has it also from a mere config. So its weights are compared with those
of the folder: a row of a few tables, which are random numbers in a model that was not loaded.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from typing import Any

ENOUGH = 3
"""So many tables are compared; their first rows are hundreds of numbers each."""


def folder(model: Any) -> str | None:
    """Return the folder, if the model still is as it lies there; None if that can't be told."""
    inside = getattr(model, "get_base_model", None)  # an adapter around a model
    model = inside() if callable(inside) else model
    name = getattr(model, "name_or_path", None)
    if not isinstance(name, str) or not os.path.isdir(name):
        return None
    from safetensors import SafetensorError

    try:
        same = list(islice(_comparisons(model, name), ENOUGH))
    except (OSError, SafetensorError):
        return None
    return name if same and all(same) else None


def _comparisons(model: Any, name: str) -> Iterator[bool]:
    """Yield for each table whether its first row in the folder is that of the model."""
    from safetensors import safe_open

    parameters = {_unwrapped(key): held for key, held in model.named_parameters()}
    prefix = f"{getattr(model, 'base_model_prefix', '')}."
    for file in sorted(n for n in os.listdir(name) if n.endswith(".safetensors")):
        with safe_open(os.path.join(name, file), framework="pt") as weights:
            for key in weights.keys():  # noqa: SIM118 - it is no mapping, and can't be iterated over
                ours = next(
                    (parameters[k] for k in _spellings(key, prefix) if k in parameters), None
                )
                if ours is None or ours.ndim != 2 or ours.is_meta:
                    continue
                table = weights.get_slice(key)
                if tuple(table.get_shape()) != tuple(ours.shape):
                    continue
                row = table[:1].to(ours.dtype)
                if row.any():  # that of a padding token is all zeros in every model
                    yield bool((row == ours[:1].detach().cpu()).all())


def _unwrapped(name: str) -> str:
    """Return the name that a weight has without the adapter around its layer."""
    for around in (".token_adapter", ".base_layer", ".original_module"):
        name = name.replace(around, "")
    return name


def _spellings(key: str, prefix: str) -> tuple[str, ...]:
    """Return the names that a weight of a checkpoint may have in a model with or without a head."""
    return key, prefix + key, key.removeprefix(prefix)

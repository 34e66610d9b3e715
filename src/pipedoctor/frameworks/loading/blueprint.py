"""Models built from their configs alone: on the meta device, whose tensors hold nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.frameworks.loading import foreign_code
from pipedoctor.frameworks.loading.quiet import need, quiet

CONFIG = "config.json"
MOST_LAYERS = 2_000
"""A config with more layers than this describes no model; to build one would take minutes."""

LAYERS = ("num_hidden_layers", "n_layer", "num_layers", "n_layers", "encoder_layers")


def of_folder(name: str) -> Any:
    """
    Return the model of a folder with a config.json, or of such a file.

    Raises:
        Unavailable: It needs code of its own, is quantised, or describes no model.
        Exception: Whatever transformers raises at the config.

    """
    need("torch", "transformers")
    folder = os.path.dirname(name) or "." if os.path.isfile(name) else name
    path = name if os.path.isfile(name) else os.path.join(folder, CONFIG)
    with open(path, encoding="utf-8") as file:
        told = json.load(file)
    foreign_code.refuse(name, folder)
    with quiet("transformers"):
        import transformers

        kind = told.get("model_type")
        if not isinstance(kind, str) or kind not in transformers.CONFIG_MAPPING:
            raise Unavailable(
                f"{name}: transformers {transformers.__version__} knows no model_type {kind!r}"
            )
        named = (told.get("architectures") or ["AutoModel"])[0]
        config = transformers.AutoConfig.from_pretrained(path, trust_remote_code=False)
        return built(named, config, None)


def built(kind: str, config: Any, dtype: str | None) -> Any:
    """Return a model of a class of transformers on the meta device, as it would be trained."""
    import torch
    import transformers

    if getattr(config, "quantization_config", None):
        raise Unavailable(
            "the config has a quantization_config; what a quantised model takes is not known here"
        )
    for name in LAYERS:
        layers = getattr(config, name, None)
        if isinstance(layers, int) and layers > MOST_LAYERS:
            raise Unavailable(f"{name} is {layers:,}; no model has as many")
    chosen = getattr(config, "_attn_implementation", None)
    if chosen not in {None, "eager", "sdpa"}:
        config._attn_implementation = "sdpa"  # noqa: SLF001 - the only name of it
    factory = getattr(transformers, kind, None) or transformers.AutoModel
    with torch.device("meta"):
        if hasattr(factory, "_from_config"):
            return factory._from_config(config, dtype=_dtype(config, dtype))  # noqa: SLF001 - likewise
        return factory.from_config(config, dtype=_dtype(config, dtype))


def finished(model: Any, finish: Callable[[Any], None]) -> None:
    """Do to a model what its script does after loading it, as far as it needs no values."""
    with suppress(NotImplementedError, RuntimeError):  # what asks for values is left undone
        finish(model)


def _dtype(config: Any, stated: str | None) -> Any:
    """Return the dtype of the weights: transformers 5 loads them as they were saved."""
    import torch
    import transformers

    if stated not in {None, "auto"}:
        return getattr(torch, str(stated))
    saved = getattr(config, "dtype", None) or getattr(config, "torch_dtype", None)
    newer = int(transformers.__version__.partition(".")[0]) >= 5
    if saved is None or not (newer or stated == "auto"):
        return torch.float32
    return getattr(torch, saved) if isinstance(saved, str) else saved

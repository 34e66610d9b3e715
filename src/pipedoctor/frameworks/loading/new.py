"""Which parameters of a model were in no checkpoint: they start from random values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pipedoctor.fact import unknown
from pipedoctor.frameworks.loading.untrained import as_made

_NEW = "_pipedoctor_new_parameters"
"""The attribute of a model that was loaded here; a model of the user's is never written to."""

_LOADED = "_is_hf_initialized"
"""What `from_pretrained` of transformers 5 sets of a parameter that it has taken from a file."""

_AROUND = ("base_model.model.", ".base_layer", ".original_module")
"""What adapters add to the name of a parameter."""

_COPY = re.compile(r"\.modules_to_save\.[^.]+")


def remember(model: Any, loading: Mapping[str, Any]) -> None:
    """Keep what `from_pretrained` said of the keys it missed or could not use."""
    mismatched = (key for key, *_ in loading["mismatched_keys"])
    setattr(model, _NEW, frozenset({*loading["missing_keys"], *mismatched}))


def new_parameters(model: Any) -> Any:
    """Return the names of these parameters, or an unknown value for a model loaded elsewhere."""
    return getattr(model, _NEW, unknown("what the checkpoint held was not seen"))


def untrained(whole: Any, base: Any) -> frozenset[str]:
    """
    Return the parameters of a model that start from random values, with its adapters if any.

    Of a model that was not loaded here, those are taken for new that no file is known for, and
    that are as they were drawn.
    """
    held = dict(whole.named_parameters())
    remembered = getattr(base, _NEW, None)
    if remembered is not None:
        return frozenset(name for name in held if plain(name) in remembered)
    open_ = {name: p for name, p in held.items() if not getattr(p, _LOADED, False)}
    config = getattr(base, "config", None)
    spread = getattr(config, "initializer_range", None) or getattr(config, "init_std", None)
    return frozenset(as_made(open_, spread if isinstance(spread, float) else None))


def plain(name: str) -> str:
    """Return the name that a parameter has without the adapters around it."""
    for around in _AROUND:
        name = name.replace(around, "")
    return _COPY.sub("", name)

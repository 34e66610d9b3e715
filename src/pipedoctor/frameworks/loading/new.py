"""Which parameters of a loaded model its checkpoint did not hold: they start from random values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipedoctor.fact import unknown

_NEW = "_pipedoctor_new_parameters"
"""The attribute of a model that was loaded here; a model of the user's is never written to."""


def remember(model: Any, loading: Mapping[str, Any]) -> None:
    """Keep what `from_pretrained` said of the keys it missed or could not use."""
    mismatched = (key for key, *_ in loading["mismatched_keys"])
    setattr(model, _NEW, frozenset({*loading["missing_keys"], *mismatched}))


def new_parameters(model: Any) -> Any:
    """Return the names of these parameters, or an unknown value for a model loaded elsewhere."""
    return getattr(model, _NEW, unknown("what the checkpoint held was not seen"))

"""The fact `Weights`: one sum over each parameter, which no value that is not finite survives."""

from __future__ import annotations

from typing import Any

from pipedoctor.facts.weights import Spoilt, Weights
from pipedoctor.frameworks.tracing.values import NAN, bad_places, kind, looked_at
from pipedoctor.frameworks.training.memory import demand_weights

MOST_ROWS = 8


def measure(model: Any) -> Weights:
    """Look at each parameter once."""
    demand_weights(model)
    named = [(name, p.detach()) for name, p in model.named_parameters()]
    spoilt = {name: _spoilt(p) for name, p in named if looked_at(p) and kind(p)}
    return Weights(len(named), spoilt)


def _spoilt(tensor: Any) -> Spoilt:
    bad = bad_places(tensor, NAN) | bad_places(tensor, 0)
    count, size = int(bad.sum()), bad.numel()
    if bad.ndim != 2:
        return Spoilt(count, size)
    rows = bad.any(1).nonzero().flatten()[:MOST_ROWS].tolist()
    return Spoilt(count, size, tuple(rows), len(bad))

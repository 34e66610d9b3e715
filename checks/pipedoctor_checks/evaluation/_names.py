"""The names of an evaluation's figures."""

from __future__ import annotations

PREFIX = "eval_"

ALWAYS = frozenset({
    "eval_runtime",
    "eval_samples_per_second",
    "eval_steps_per_second",
    "eval_model_preparation_time",
    "epoch",
})  # fmt: skip
"""What every evaluation gives, with labels or without."""


def prefixed(name: str) -> str:
    """Return a metric's name as Trainer looks it up."""
    return name if name.startswith(PREFIX) else PREFIX + name

"""The names of an evaluation's figures."""

from __future__ import annotations

ALWAYS = frozenset({
    "eval_runtime",
    "eval_samples_per_second",
    "eval_steps_per_second",
    "eval_model_preparation_time",
    "epoch",
})  # fmt: skip
"""What every evaluation gives, with labels or without."""

"""
The schedules of learning rates that transformers has, as functions of the steps made so far.

The numbers are those of its `get_scheduler` (5.23.0; a test compares them step by step), and so
is what it refuses: an option that a schedule does not take, or one that it can't do without.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from math import cos, pi, sqrt
from typing import Any

Curve = Callable[[int], float]

REQUIRED = object()
"""The default of an option that there is none for."""

OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "linear": {},
    "cosine": {"num_cycles": 0.5},
    "cosine_with_restarts": {"num_cycles": 1},
    "polynomial": {"lr_end": 1e-7, "power": 1.0},
    "inverse_sqrt": {"timescale": None},
    "cosine_with_min_lr": {"num_cycles": 0.5, "min_lr": None, "min_lr_rate": None},
    "cosine_warmup_with_min_lr": {
        "num_cycles": 0.5,
        "min_lr": None,
        "min_lr_rate": None,
        "warmup_lr_rate": None,
    },
    "warmup_stable_decay": {
        "num_decay_steps": REQUIRED,
        "num_stable_steps": None,
        "warmup_type": "linear",
        "decay_type": "cosine",
        "min_lr_ratio": 0,
        "num_cycles": 0.5,
    },
}
"""What `lr_scheduler_kwargs` may hold for each schedule, and the defaults."""

WITHOUT_OPTIONS = ("constant", "constant_with_warmup")
"""The schedules that get none of them, whatever is stated."""

SHAPES = ("linear", "cosine", "1-sqrt")
"""How `warmup_stable_decay` may rise and fall."""


class Refused(Exception):  # noqa: N818 - it says what another program will do
    """What transformers would raise when it makes the scheduler; `kind` is the type of the error."""

    def __init__(self, kind: str, text: str) -> None:
        """Keep what will be raised."""
        super().__init__(f"{kind}: {text}")
        self.kind = kind


def curve(name: str, warmup: int, total: int, value: float, stated: Mapping[str, Any]) -> Curve:
    """
    Return the factor of the learning rate `value` after so many of `total` steps.

    Raises:
        Refused: transformers makes no such scheduler.
        KeyError: It is none of these.

    """
    if name == "constant":
        return lambda _step: 1.0
    if name == "constant_with_warmup":
        return partial(_constant, warmup)
    options = {**OPTIONS[name], **stated}
    refuse(name, value, stated)
    if name == "polynomial":
        return partial(_polynomial, warmup, total, value, options)
    if name == "inverse_sqrt":
        timescale = options["timescale"]
        return partial(_inverse_sqrt, warmup, timescale or warmup or 10_000)
    if name == "warmup_stable_decay":
        return partial(_stable, warmup, total, options)
    if name == "cosine_with_restarts":
        return partial(_restarts, warmup, total, options["num_cycles"])
    if name == "linear":
        return partial(_linear, warmup, total)
    low = options.get("min_lr_rate")
    if options.get("min_lr") is not None:
        low = options["min_lr"] / value
    if name == "cosine_warmup_with_min_lr":
        return partial(_shifted, warmup, total, {**options, "low": low})
    return partial(_cosine, warmup, total, options["num_cycles"], low or 0.0)


def refuse(name: str, value: float, stated: Mapping[str, Any]) -> None:
    """Raise `Refused` where transformers would not make this scheduler with these options."""
    if name in WITHOUT_OPTIONS:
        return
    options = {**OPTIONS[name], **stated}
    for option in stated:
        if option not in OPTIONS[name]:
            raise Refused("TypeError", f"the scheduler {name} takes no {option}")
    for option, given in options.items():
        if given is REQUIRED:
            raise Refused("TypeError", f"the scheduler {name} needs {option}")
    if name == "polynomial" and options["lr_end"] >= value:
        low = options["lr_end"]
        text = f"lr_end {low:g} must be smaller than the learning rate {value:g}"
        raise Refused("ValueError", text)
    if "min_lr_rate" in options:
        _refuse_floor(name, options)
    for key in ("warmup_type", "decay_type"):
        if options.get(key, "linear") not in SHAPES:
            text = f"{key} {options[key]!r} is none of {', '.join(SHAPES)}"
            raise Refused("ValueError", text)


def _refuse_floor(name: str, options: Mapping[str, Any]) -> None:
    """Raise `Refused` unless the lowest rate is stated, and in one way only."""
    stated = [options[key] is not None for key in ("min_lr", "min_lr_rate")]
    if all(stated):
        text = f"the scheduler {name} takes min_lr or min_lr_rate, not both"
        raise Refused("ValueError", text)
    if not any(stated):
        text = f"the scheduler {name} needs min_lr or min_lr_rate"
        raise Refused("ValueError", text)


def _rise(step: int, warmup: int) -> float:
    return step / max(1, warmup)


def _progress(step: int, warmup: int, total: int) -> float:
    return (step - warmup) / max(1, total - warmup)


def _wave(cycles: float, progress: float) -> float:
    return 0.5 * (1.0 + cos(pi * cycles * 2.0 * progress))


def _constant(warmup: int, step: int) -> float:
    return _rise(step, warmup) if step < warmup else 1.0


def _linear(warmup: int, total: int, step: int) -> float:
    if step < warmup:
        return _rise(step, warmup)
    return max(0.0, (total - step) / max(1, total - warmup))


def _cosine(warmup: int, total: int, cycles: float, low: float, step: int) -> float:
    if step < warmup:
        return _rise(step, warmup)
    factor = _wave(cycles, _progress(step, warmup, total))
    return max(0.0, factor * (1 - low) + low)


def _shifted(warmup: int, total: int, options: Mapping[str, Any], step: int) -> float:
    """Return the factor of `cosine_warmup_with_min_lr`, which is one step ahead of the others."""
    if step < warmup:
        start = options["warmup_lr_rate"]
        if start is None:
            return (step + 1.0) / max(1.0, warmup)
        return float(start + (1.0 - start) * step / max(1, warmup - 1))
    low: float = options["low"]
    factor = _wave(options["num_cycles"], (step - warmup + 1.0) / max(1.0, total - warmup))
    return max(0.0, factor * (1 - low) + low)


def _restarts(warmup: int, total: int, cycles: float, step: int) -> float:
    if step < warmup:
        return _rise(step, warmup)
    progress = _progress(step, warmup, total)
    if progress >= 1.0:
        return 0.0
    return max(0.0, 0.5 * (1.0 + cos(pi * ((cycles * progress) % 1.0))))


def _polynomial(
    warmup: int, total: int, value: float, options: Mapping[str, Any], step: int
) -> float:
    low: float = options["lr_end"]
    if step < warmup:
        return _rise(step, warmup)
    if step > total:
        return low / value
    left = 1 - (step - warmup) / max(1, total - warmup)
    return float(((value - low) * left ** options["power"] + low) / value)


def _inverse_sqrt(warmup: int, timescale: int, step: int) -> float:
    if step < warmup:
        return _rise(step, warmup)
    return 1.0 / sqrt((step + timescale - warmup) / timescale)


def _stable(warmup: int, total: int, options: Mapping[str, Any], step: int) -> float:
    low, decay = options["min_lr_ratio"], options["num_decay_steps"]
    stable = options["num_stable_steps"]
    if stable is None:
        stable = total - warmup - decay
    if step < warmup:
        progress = _rise(step, warmup)
        factor = {
            "linear": progress,
            "cosine": 0.5 * (1.0 - cos(pi * progress)),
            "1-sqrt": 1.0 - sqrt(1.0 - progress),
        }[options["warmup_type"]]
        return max(0.0, float(factor * (1.0 - low) + low))
    if step < warmup + stable:
        return 1.0
    if step < warmup + stable + decay:
        progress = (step - warmup - stable) / max(1, decay)
        factor = {
            "linear": 1.0 - progress,
            "cosine": _wave(options["num_cycles"], progress),
            "1-sqrt": 1.0 - sqrt(progress),
        }[options["decay_type"]]
        return max(0.0, float(factor * (1.0 - low) + low))
    return float(low)

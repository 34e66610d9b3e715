"""The rates that a schedule of the user's own gives, stepped on a stand-in for the optimizer."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

MOST = 20_000
"""A schedule is followed for so many steps; what it does later is not asked."""

SPENT = 1e-3
"""A rate below this share of the highest trains nothing any more."""

EARLY = 0.25
"""A schedule that is spent before this share of the run was not made for its steps."""


@dataclass(frozen=True)
class Given:
    """The factors of the rate, step by step, as shares of the highest one; and their sum."""

    name: str
    factors: Sequence[float]
    total: int

    @property
    def reach(self) -> float:
        """How many steps at the full rate the run amounts to."""
        rest = self.total - len(self.factors)
        return sum(self.factors) + rest * (self.factors[-1] if self.factors else 0.0)

    @property
    def spent(self) -> int | None:
        """The step from which on next to nothing is left of the rate; None: not so early."""
        return spent(list(enumerate(self.factors, 1)), self.total)


def spent(samples: Sequence[tuple[int, float]], total: int) -> int | None:
    """Return the step from which on next to nothing is left of a rate, if that comes early; else None."""
    peak = max((rate for _, rate in samples), default=0.0)
    last = max((n for n, (_, rate) in enumerate(samples) if rate >= SPENT * peak), default=None)
    if not peak or last is None or last + 1 == len(samples):
        return None
    step = samples[last + 1][0]
    return step if step <= EARLY * total else None


def given(schedule: Any, total: int) -> Given | None:
    """
    Return what a schedule that was given to a trainer does, which steps it after each update.

    None where it goes by what is measured, is not torch's own, or can't be told without it. The
    schedule itself and its optimizer are not touched.
    """
    import torch

    family = torch.optim.lr_scheduler
    inner = getattr(schedule, "scheduler", schedule)  # accelerate wraps it
    plain = isinstance(inner, family.LRScheduler) and not isinstance(
        inner, family.ReduceLROnPlateau
    )
    if not plain or type(inner).__module__ != family.__name__ or total < 1:
        return None
    try:
        rates = _followed(inner, min(total, MOST))
    except Exception:  # noqa: BLE001 - a function of the user's within it may raise anything
        return None
    peak = max(rates)
    if peak <= 0:
        return None
    return Given(type(inner).__name__, [rate / peak for rate in rates], total)


def _followed(schedule: Any, steps: int) -> list[float]:
    """Return the rates of so many steps, by a copy that has an optimizer of its own."""
    import warnings

    import torch

    held = schedule.optimizer
    stand_in = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    stand_in.param_groups = [
        {
            **{key: copy.copy(value) for key, value in group.items() if key != "params"},
            "params": [],
        }
        for group in held.param_groups
    ]
    # What it holds is copied to the bottom, but for the optimizer, whose place the other one takes.
    twin = copy.deepcopy(schedule, {id(held): stand_in})
    rates = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of stepping a schedule without its optimizer
        for _ in range(steps):
            rates.append(max(float(group["lr"]) for group in stand_in.param_groups))
            twin.step()
    return rates

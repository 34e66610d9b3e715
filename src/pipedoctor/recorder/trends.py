"""
What else ends a run, told once each while there is time: told from the lines of the log.

A threshold is a multiple of the run's own noise, so that a noisy run is not called names; all of
them are wide, since a line that cries wolf is worse than none.
"""

from __future__ import annotations

import math
import os
import shutil
import time
from collections import deque
from collections.abc import Callable, Mapping
from statistics import median

WINDOW = 50
ENOUGH = 20
"""So many earlier values are needed before one is called unusual."""

SPIKE = 10.0
"""
Times the median distance from the median.

Of normal noise 10 is 6.7 standard deviations: once in 10^11 lines. A spike must also be twice the
median, since the noise of a run that has converged may be tiny.
"""
EXPLOSION = 100.0
"""Times the median norm of the gradient; clipping keeps weights from following, at a price."""
COLLAPSE = 5.0
"""Times the median duration of a step, three logged intervals in a row."""


class Trends:
    """Watches the logged values of one run; `tell` takes one sentence."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        """Begin with nothing known."""
        self._tell = tell
        self._told: set[str] = set()
        self._values: dict[str, deque[float]] = {}
        self._last: tuple[int, float] | None = None
        self._slow = 0

    def logged(self, step: int, values: Mapping[str, object], now: float | None = None) -> None:
        """Look at a line of the log of training."""
        if "loss" not in values:
            return  # a line of an evaluation, or the summary at the end
        self._loss(step, _number(values.get("loss")))
        self._norm(step, _number(values.get("grad_norm")))
        self._pace(step, time.monotonic() if now is None else now)

    def saved(self, folder: str, checkpoint: str) -> None:
        """Look whether the disk has room for another checkpoint like the last one."""
        size = _size(checkpoint)
        try:
            free = shutil.disk_usage(folder).free
        except OSError:
            return
        if 0 < free < size:
            self._once(
                "disk",
                f"the disk of {folder} has {free:,} bytes free; the last checkpoint took "
                f"{size:,}: the next one will not fit",
            )

    def evaluated(self) -> None:
        """An evaluation or a save took time: the next interval is no measure of the pace."""
        self._last = None

    def _loss(self, step: int, loss: float | None) -> None:
        known = self._known("loss")
        if loss is not None and len(known) >= ENOUGH:
            middle = median(known)
            noise = median(abs(value - middle) for value in known)
            if loss > middle + SPIKE * noise and loss > 2 * middle > 0:
                self._once(
                    "loss",
                    f"step {step}: the loss is {loss:.4g}; the last {len(known)} logged values "
                    f"lie around {middle:.4g} (median distance {noise:.2g})",
                )
        if loss is not None:
            known.append(loss)

    def _norm(self, step: int, norm: float | None) -> None:
        known = self._known("grad_norm")
        if norm is not None and len(known) >= ENOUGH and norm > EXPLOSION * median(known) > 0:
            self._once(
                "grad_norm",
                f"step {step}: the norm of the gradient is {norm:.4g}, "
                f"{norm / median(known):,.0f} times the median of the last {len(known)} logged",
            )
        if norm is not None:
            known.append(norm)

    def _pace(self, step: int, now: float) -> None:
        last, self._last = self._last, (step, now)
        if last is None or step <= last[0]:
            return
        seconds = (now - last[1]) / (step - last[0])
        known = self._known("seconds")
        slow = len(known) >= ENOUGH and seconds > COLLAPSE * median(known)
        self._slow = self._slow + 1 if slow else 0
        if self._slow >= 3:
            self._once(
                "pace",
                f"step {step}: a step takes {seconds:.3g} s, {seconds / median(known):.0f} times "
                "the median so far, for three logged intervals in a row",
            )
        if not slow:
            known.append(seconds)

    def _known(self, name: str) -> deque[float]:
        return self._values.setdefault(name, deque(maxlen=WINDOW))

    def _once(self, what: str, sentence: str) -> None:
        if what not in self._told:
            self._told.add(what)
            self._tell(sentence)


def _number(value: object) -> float | None:
    """Return a finite number; others are the business of the look before each update."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) else None


def _size(folder: str) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_size
            except OSError:  # a file that is being replaced
                continue
    return total

"""
The fact `ShortRuns` of a pipeline of torch: is the rate too high for anything to be learned.

The steps of Adam and its kin are about as long as the rate in every weight, whatever the gradient
is. Where the rate is below the weights' own size nothing is run. Where it is above, the first
update leaves nothing of the weights. Some networks learn nevertheless (a linear one, or one with
batch normalisation), and others never do: it is tried, on some batches.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from statistics import mean, median
from typing import Any

from pipedoctor.clock import Clock
from pipedoctor.fact import Split, Unavailable
from pipedoctor.facts.learning_rate import LearningRate
from pipedoctor.facts.overfit import Curve
from pipedoctor.facts.rows import Rows
from pipedoctor.facts.short_runs import ShortRuns
from pipedoctor.frameworks.data.batches import of_rows
from pipedoctor.frameworks.learnability import lesson
from pipedoctor.frameworks.learning import rules
from pipedoctor.frameworks.learning.measure import Search
from pipedoctor.frameworks.learning.rules import Way
from pipedoctor.frameworks.learning.torch_learner import TorchLearner, peak
from pipedoctor.frameworks.learning.torch_looks import Look
from pipedoctor.frameworks.training import backward
from pipedoctor.frameworks.training.optimizers import Built
from pipedoctor.pipeline import Pipeline
from pipedoctor.probes import feeding

SIGNED = ("adam", "lion", "rmsprop")
"""Parts of the names of optimizers whose first steps are as long as the rate."""

LARGE = 1.0
"""
A rate above the size of most weights is tried.

Networks of many kinds learned at rates up to 0.1 of it, all but plain ones failed above 5 times.
"""

SMALLEST = 64
"""Matrices with fewer elements are not asked."""

UPDATES = 40
LOWER = (30.0, 300.0)
"""The rates that are tried besides are lower by this."""

BATCHES = 4
SECONDS = 20.0
"""Nothing is said where this is not enough."""

SHARE = 0.2
"""The share of the time limit that may be spent."""

OnDevice = Callable[[Mapping[str, Any], Any], dict[str, Any]]


def measure(pipeline: Pipeline, model: Any, on_device: OnDevice) -> ShortRuns:
    """
    Compare the rate with the weights; where it is larger than they are, try it, and undo all.

    Raises:
        Unavailable: The optimizer is of another kind, or it can't be tried in the time there is.

    """
    import torch

    built = pipeline.fact(Built).optimizer
    optimizer = getattr(built, "optimizer", built)
    name = type(optimizer).__name__
    if not any(part in name.lower() for part in SIGNED) or "adafactor" in name.lower():
        raise Unavailable(f"how far a step of {name} goes depends on its gradients")
    ratios = list(_ratios(model, optimizer))
    rate = max((float(peak(group)) for group in optimizer.param_groups), default=0.0)
    if not ratios:
        raise Unavailable("no weight matrix is trained")
    ratio = median(ratios)
    if not ratio > LARGE:
        return ShortRuns(ratio, len(ratios), rate, name)
    backward.whole(model)
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        raise Unavailable("a short training would wait for the other processes")
    if "run" not in pipeline.parts:
        raise Unavailable("nothing is trained in a process that is yours without being asked")
    tried: Any = _Tries(pipeline, model, on_device, rate).run()
    curves, rows, base = tried
    return ShortRuns(ratio, len(ratios), rate, name, curves, rows, base)


def _ratios(model: Any, optimizer: Any) -> Any:
    """Yield how large a step is against the weights, for each matrix that is trained."""
    rates = {
        id(p): float(peak(group)) for group in optimizer.param_groups for p in group["params"]
    }
    for parameter in model.parameters():
        if parameter.ndim < 2 or parameter.numel() < SMALLEST or id(parameter) not in rates:
            continue
        if not parameter.requires_grad or parameter.is_meta or not parameter.is_floating_point():
            continue
        size = float(parameter.detach().float().norm()) / parameter.numel() ** 0.5
        if size > 0:  # what starts at zero on purpose has no size to compare with
            yield rates[id(parameter)] / size


class _Tries(Search):
    """Short trainings with all that one on a single batch takes."""

    def __init__(self, pipeline: Pipeline, model: Any, on_device: OnDevice, rate: float) -> None:
        super().__init__(pipeline, model, on_device)
        self._until = min(
            time.monotonic() + SECONDS, Clock.of(pipeline.parts.get("run"), SHARE).soft
        )
        self._rate = rate
        self._looks = [Look.at(arrays, self._look.names) for arrays in self._made(on_device)]

    def _made(self, on_device: OnDevice) -> list[dict[str, Any]]:
        total = self._pipeline.fact(Rows, Split.TRAIN).used
        if total is None:
            raise Unavailable("the data is a stream, which gives no rows by their number")
        size = max(2, min(feeding.batch_size(self._pipeline, Split.TRAIN), lesson.BATCH))
        groups = lesson.grouped(lesson.places(total, BATCHES * size), size)
        return [
            on_device(of_rows(self._pipeline, Split.TRAIN, group).arrays, self._model)
            for group in groups
        ]

    def _judged(self, learner: TorchLearner) -> Any:
        ways: list[Way] = []
        learner.begin(None, None)
        for look in self._looks:
            learner.inputs = look.inputs
            start = learner.loss()
            bounds = look.bounds(start, learner.answer, 0.0)
            ways.append(Way.of(start, bounds.floor, bounds.chance))
        known = all(way.chance is not None for way in ways)
        way = Way(
            mean(one.start for one in ways),
            mean(one.floor for one in ways),
            mean(one.base for one in ways) if known else None,
        )
        if not way.open:
            raise Unavailable("these rows leave nothing to learn")
        name = type(self.optimizer).__name__
        curves: list[Curve] = []
        for lower in (1.0, *LOWER):
            rate = self._rate if lower == 1.0 else float(f"{self._rate / lower:.0e}")
            curve = self._tried(learner, way, name, rate)
            curves.append(curve)
            if curve.reached:
                break
        return tuple(curves), sum(look.rows for look in self._looks), way.base

    def _tried(self, learner: TorchLearner, way: Way, name: str, rate: float) -> Curve:
        """Train for a while with the user's optimizer, at this rate."""
        learner.begin(None, None)
        peaks = [float(group["lr"]) for group in self.optimizer.param_groups]
        warm = self._warm_up()
        losses: list[float] = []
        for step in range(UPDATES):
            if time.monotonic() > self._until:
                raise Unavailable("there was too little time to try the learning rate")
            for group, most in zip(self.optimizer.param_groups, peaks, strict=True):
                group["lr"] = most * rate / self._rate * min(1.0, (step + 1) / max(1, warm))
            learner.inputs = self._looks[step % len(self._looks)].inputs
            losses.append(learner.loss())
            learner.update()
            if len(losses) >= 8 and _settled(losses, way):
                break
        return Curve(
            name,
            rate,
            tuple(losses),
            own=rate == self._rate,
            goal=way.goal,
            reached=_settled(losses, way),
            diverged=rules.diverged(losses, way),
        )

    def _warm_up(self) -> int:
        """Return how many of these steps warm up, where the run does."""
        known = self._pipeline.optional(LearningRate)
        return min(known.warmup_steps, UPDATES // 3) if known is not None else 0


def _settled(losses: list[float], way: Way) -> bool:
    """Whether the last losses, one for each batch, are below the goal together."""
    return mean(losses[-BATCHES:]) <= way.goal

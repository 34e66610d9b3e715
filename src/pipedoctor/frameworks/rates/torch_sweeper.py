"""The steps of a range test with torch: those of the learner, at the rate that is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from pipedoctor.frameworks.learning.torch_learner import TorchLearner, peak

Inputs = Sequence[Mapping[str, Any]]
"""The batches that the gradients of one update are gathered from."""


class TorchSweeper:
    """Makes the steps; rates of several groups keep their proportions."""

    def __init__(self, learner: TorchLearner, updates: Sequence[Inputs]) -> None:
        """Keep the batches, and the proportions of the rates."""
        self._learner = learner
        self._updates = updates
        peaks = [float(peak(group)) for group in learner.own.param_groups]
        highest = max(peaks, default=0.0)
        self._shares = [rate / highest if highest else 1.0 for rate in peaks]

    @property
    def batches(self) -> int:
        """How many different ones there are."""
        return len(self._updates)

    def begin(self) -> None:
        """Go back to where all stood."""
        self._learner.begin(None, None)

    def base(self, place: int) -> float:
        """Compute the loss, and change nothing."""
        gathered = self._updates[place]
        return sum(map(self._learner.without_graph, gathered)) / len(gathered)

    def step(self, place: int, rate: float) -> tuple[float, bool]:
        """Make an update; return the loss before it, and whether the gradients were finite."""
        learner, gathered = self._learner, self._updates[place]
        self._set(rate)
        losses: list[float] = []
        for number, inputs in enumerate(gathered, 1):
            learner.inputs = inputs
            losses.append(learner.loss())
            if not isfinite(losses[-1]) or learner.stuck:
                return sum(losses) / len(losses), True
            if number < len(gathered):
                learner.gather(1 / len(gathered))
        learner.update(1 / len(gathered))
        norms = [norm for norm in learner.last.values() if norm is not None]
        return sum(losses) / len(losses), all(map(isfinite, norms))

    def _set(self, rate: float) -> None:
        import torch

        for group, share in zip(self._learner.own.param_groups, self._shares, strict=True):
            held = group["lr"]
            value = rate * share
            group["lr"] = torch.full_like(held, value) if hasattr(held, "detach") else value

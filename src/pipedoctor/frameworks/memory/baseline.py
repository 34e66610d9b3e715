"""The plan without any change, which remedies are told against, and the law of its peak by rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipedoctor.facts.memory_plan import Remedy
from pipedoctor.frameworks.memory.optimizers import Stepped
from pipedoctor.frameworks.memory.scene import Scene
from pipedoctor.frameworks.memory.step import Pass
from pipedoctor.probes.memory import laws
from pipedoctor.probes.memory.laws import Moment

TRACED = "traced"


@dataclass(frozen=True)
class Base:
    """What the plan is without any change."""

    taken: Pass
    stepped: Stepped
    weights: int
    """Weights and buffers."""
    gradients: int
    total: int
    unit: int
    room: int | None
    processes: int
    gpu: str = ""
    """The name of the GPU, where one is stated."""


def kept(moment: Moment) -> float:
    """Return the bytes of any batch at a moment."""
    return moment.constant + moment.gradients


def peaks(taken: Pass, stepped: Stepped, resident: int) -> tuple[int, int]:
    """Return the peak of the passes, and that of the optimizer's step."""
    return taken.peak + stepped.states, resident + stepped.states + stepped.temporary


def law(
    taken: Pass,
    rows: int,
    stepped: Stepped,
    least: float,
    change: Callable[[Moment], float] = kept,
) -> laws.Law:
    """Return the law of the peak by rows, after a pass with so many."""
    states = stepped.states

    def changed(moment: Moment) -> float:
        return change(moment) + states

    return laws.law(taken.moments, rows, changed, least)


def remedy(  # noqa: PLR0913, PLR0917 - what is told of a remedy, and the plan that it is for
    scene: Scene,
    base: Base,
    change: str,
    cost: str,
    how: str,
    peak: float,
    by_rows: laws.Law | None = None,
) -> Remedy:
    """Return a change with what the run would take with it, and the rows that would fit."""
    gpu = scene.way.gpu
    largest = None
    if by_rows is not None and base.room is not None:
        largest = by_rows.most(laws.usable(base.room, gpu=gpu))
    return Remedy(change, int(peak) + sum(laws.whole(peak, gpu=gpu)), how, cost, largest)

"""What is kept of a loop while it is watched: the things themselves, and figures of each step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pipedoctor.facts.label_shift import LabelShift
from pipedoctor.facts.loop import LoopStep, Term
from pipedoctor.finding import NOWHERE, Location
from pipedoctor.frameworks.loops.carried import Carried
from pipedoctor.frameworks.loops.labels import Labels

SAMPLE = 1024
"""Of each parameter, so many elements are compared with what they were before the first step."""


@dataclass(eq=False)
class Stepped:
    """An optimizer that was stepped."""

    optimizer: Any
    variable: str
    where: Location
    number: int
    carried: Carried = field(default_factory=Carried)
    before: dict[int, tuple[Any, Any]] = field(default_factory=dict)
    norms: dict[int, float] = field(default_factory=dict)
    """The norm of each parameter's gradient at the first step that had one."""
    began: Any = None
    """Its state before its first step, where that is wanted."""
    fresh: bool = False
    """Whether a gradient other than zero was computed since the last step."""
    pending: dict[str, Any] = field(default_factory=dict)
    """What was measured right before the step that is under way."""

    @property
    def parameters(self) -> list[Any]:
        """What it holds."""
        return [p for group in self.optimizer.param_groups for p in group["params"]]

    def note_values(self) -> None:
        """Keep some elements of each parameter, to see later whether they have moved."""
        for parameter in self.parameters:
            if id(parameter) not in self.before:
                self.before[id(parameter)] = parameter, sample(parameter)


@dataclass(eq=False)
class Top:
    """A model of the script: the module, its name there, and the modes it was used in."""

    module: Any
    name: str
    calls: int = 0
    """How often it was called with a gradient to be computed."""
    used: list[bool] = field(default_factory=list)
    """Whether it was in evaluation mode, for each call that led to a loss since the last step."""
    modes: list[tuple[int, bool]] = field(default_factory=list)
    """The same for the steps: the number of the step, and whether it was so each time."""
    layers: tuple[str, ...] = ()
    idle: int = 0


@dataclass(frozen=True)
class Round:
    """A pass over a loader of torch that was begun after so many steps."""

    steps: int
    batches: int | None
    shuffled: bool | None


@dataclass(eq=False)
class Recording:
    """All that was seen so far."""

    optimizers: list[Stepped] = field(default_factory=list)
    schedules: list[Any] = field(default_factory=list)
    """The schedules of learning rates that were made."""
    steps: list[LoopStep] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)
    labels: Labels = field(default_factory=Labels)
    shift: LabelShift | None = None
    tops: dict[int, Top] = field(default_factory=dict)
    """The models, by the identity of each module of theirs that was called."""
    leaves: dict[int, Any] = field(default_factory=dict)
    """What the losses have given gradients to."""
    terms: dict[tuple[Any, ...], Term] = field(default_factory=dict)
    backwards: int = 0
    connected: bool | None = None
    """Whether the first loss could be differentiated."""
    first_loss: float | None = None
    shapes: tuple[tuple[int, ...], ...] = ()
    backward_at: Location = NOWHERE
    first: Any = None
    """The first batch with its loss, where it is wanted and can be had."""
    no_first: str = ""
    """Why it can't."""
    ended: str = ""
    error: Exception | None = None
    """What the loop raised, where it is a function that we have called."""
    seconds: float = 0.0
    without_gradient: int = 0
    """How often a model was called with no gradient to be computed."""
    failed_at: int | None = None
    """The step that made a value which is not finite."""
    trace: Any = None
    """What the search for a value that is not finite has shown, if there was one."""

    @property
    def models(self) -> list[Top]:
        """The models, each once."""
        return list({id(top.module): top for top in self.tops.values()}.values())


def sample(parameter: Any) -> Any:
    """Return a copy of the first elements of a parameter."""
    return parameter.detach().flatten()[:SAMPLE].clone()

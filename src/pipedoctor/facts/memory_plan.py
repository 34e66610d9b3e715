"""What a training step takes in memory, and what would change that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipedoctor.fact import UNKNOWN, Fact

GENEROUS = 5
"""
Where it is not known how far an estimate is off, so many times its peak must fit.

Of the estimates that were measured, no real peak was above 1.4 times one: benchmarks/results.
"""


@dataclass(frozen=True)
class Held:
    """Tensors of one kind that are live at the peak: all of one shape, layers counted as one."""

    kind: str
    """activations, logits, temporary, casts."""
    operation: str
    module: str
    shape: tuple[int, ...]
    dtype: str
    bytes: int


@dataclass(frozen=True)
class Remedy:
    """
    A change, and the bytes that the run would take with it, context and margin included.

    `how` says what the figure rests on: "traced", or the name of a formula. `largest` is the
    largest batch that would fit; None where no memory is stated. `cost` says what one pays for it.
    """

    change: str
    total: int
    how: str
    cost: str
    largest: int | None = None


@dataclass(frozen=True)
class Evaluated:
    """
    What an evaluation beside the training takes: `rows` of `length` tokens at a time.

    `peak` is everything at its worst moment: weights, the optimizer's states, a batch's forward
    pass with its logits, and `kept` bytes of answers that wait on the device for the metrics.
    `total` has the context and the margin on top. `largest` is the largest batch that fits, 0 if
    none does; None where no memory is stated.
    """

    rows: int
    length: int | None
    peak: int
    total: int
    kept: int = 0
    logits: int = 0
    """Of the forward pass, what has the width of the vocabulary."""
    largest: int | None = None


@dataclass(frozen=True, repr=False, eq=False)
class MemoryPlan(Fact):
    """
    The memory of one process of a training: of a GPU, or of the machine if `device` is "cpu".

    `parts` are the bytes of everything that is live at the peak, which sum up to `peak`; with
    `context` and `margin` they make `total`. `batches` are the totals by rows, none of which can
    have a peak below `step_peak`, that of the optimizer's step. `room` is what the device has;
    `largest` the largest batch that fits, which was gone through as well, 0 if none does.
    """

    doing = "Going through a training step without values"

    name: str
    parameters: int
    trainable: int
    rows: int
    parts: Mapping[str, int]
    peak: int
    moment: str
    context: int
    margin: int
    device: str = "gpu"
    library: str = "torch"
    """Whose words the change of a batch is told in: torch, keras."""
    gpu: str = ""
    room: int | None = None
    length: int | None = None
    usual_length: int | None = None
    usual_total: int | None = None
    optimizer: str = ""
    held: tuple[Held, ...] = ()
    batches: Mapping[int, int] = UNKNOWN
    step_peak: int = 0
    largest: int | None = None
    largest_total: int | None = None
    largest_accumulated: int | None = None
    """The same, by the law, where the gradients of one batch stay while the next is run."""
    verified: Mapping[str, float] = field(default_factory=dict)
    """The batch that was traced to check the law, with what it told and what the trace did."""
    remedies: tuple[Remedy, ...] = ()
    traced: bool = True
    notes: tuple[str, ...] = ()
    spread: tuple[float, float] | None = (1.0, 1.0)
    """
    The least and the most that real peaks were of such estimates where both were measured.

    Both are 1 where the plan is no estimate; None where it is not known.
    """
    saving: int | None = None
    """What a checkpoint takes of the machine's memory while it is written; None if not known."""
    free: int | None = None
    """What this machine has free, which need not be the one that the training is on."""
    uncounted: str = ""
    """What is left out, although it takes memory: nothing is told to fit then."""
    shared: str = ""
    """What shares the run among processes, which the figures leave out: fsdp, deepspeed."""
    evaluation: Evaluated | None = None
    """None where nothing is evaluated, or it could not be gone through, which `notes` say."""
    fits_on: Mapping[str, int] = field(default_factory=dict)
    """The largest batch on each of some GPUs, where none is stated."""

    @property
    def total(self) -> int:
        """Everything: the peak, the context, the margin."""
        return self.peak + self.context + self.margin

    @property
    def step_fits(self) -> bool | None:
        """Whether a training step fits; None where no memory is stated."""
        return None if self.room is None else self.total <= self.room

    @property
    def evaluation_fits(self) -> bool | None:
        """Whether the evaluation fits; None where there is none, or no memory is stated."""
        if self.room is None or self.evaluation is None:
            return None
        return self.evaluation.total <= self.room

    @property
    def fits(self) -> bool | None:
        """Whether steps and evaluation fit; None where no memory is stated."""
        return None if self.room is None else self.step_fits and self.evaluation_fits is not False

    @property
    def range(self) -> tuple[int, int] | None:
        """The totals that this one can mean, by what was measured of such estimates."""
        if self.spread is None or not self.traced:
            return None
        least, most = self.spread
        return max(int(self.total - self.peak * (1 - least)), self.step_peak), int(
            self.total + self.peak * (most - 1)
        )

    @property
    def by_far(self) -> bool:
        """Whether it fits even if the estimate is off by more than any that was measured."""
        most = self.total + self.peak * (GENEROUS - 1)
        return self.traced and not self.uncounted and self.room is not None and most <= self.room

    @property
    def settled(self) -> bool | None:
        """Whether `fits` holds for all that the estimate can mean; None where no room is stated."""
        if self.room is None:
            return None
        if self.shared and not self.fits:
            return False
        if self.uncounted and self.fits:
            return False
        if self.range is None:  # the variables alone are known, and they may be too large
            return self.step_peak + self.context > self.room or self.by_far
        least, most = self.range
        return most <= self.room or least > self.room

    def summary(self) -> Mapping[str, object]:
        """Tell the peak, and that it was traced."""
        told = {"total": self.total, "rows": self.rows, "traced": self.traced}
        return told if self.room is None else {**told, "room": self.room, "gpu": self.gpu}

    def figures(self) -> Mapping[str, object]:
        """Show everything."""
        told: dict[str, object] = {
            name: value
            for name, value in vars(self).items()
            if self.known(name) and name not in {"held", "remedies", "parts", "evaluation"}
        }
        return {
            **told,
            "parts": dict(self.parts),
            "total": self.total,
            "fits": self.fits,
            "step_fits": self.step_fits,
            "evaluation": None if self.evaluation is None else vars(self.evaluation),
            "settled": self.settled,
            "range": self.range,
            "held": [vars(one) for one in self.held],
            "remedies": [{**vars(one), "gain": self.total - one.total} for one in self.remedies],
        }

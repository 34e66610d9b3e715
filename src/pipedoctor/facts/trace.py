"""Where a value that is not finite is born, on its way into the loss, a gradient or a weight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipedoctor.fact import UNKNOWN, Fact
from pipedoctor.finding import NOWHERE, Location

DATA, WEIGHTS, FORWARD, BACKWARD, OPTIMIZER = "data", "weights", "forward", "backward", "optimizer"
"""When a value may become NaN: it came with the batch or the weights, or a phase of the step made it."""


@dataclass(frozen=True)
class Birth:
    """
    The operation whose result is not finite although what went into it was, or held only infinities.

    `what` is "NaN", "inf" or "-inf". `operation` is its name in the framework, such as "aten.log"
    (in the backward pass `node` is the derivative that it computes, "LogBackward0"); it is empty
    where the value came with a tensor, whose name is `name`. `where` is the user's own line,
    `library` that of the library which called the operation, the same where it is the user's.
    `rows` are places in the batch; None where the operation mixes the rows. `operands` says what
    went in, `why` and `cure` what that means, where the family of faults is known.
    """

    when: str
    what: str
    operation: str = ""
    node: str = ""
    module: str = ""
    name: str = ""
    where: Location = NOWHERE
    library: Location = NOWHERE
    count: int = 0
    size: int = 0
    shape: tuple[int, ...] = ()
    dtype: str = ""
    rows: tuple[int, ...] | None = None
    operands: tuple[str, ...] = ()
    family: str = ""
    why: str = ""
    cure: str = ""
    intended: bool = False
    """Whether it is the infinity of a mask, which is meant to be there."""

    @property
    def line(self) -> Location:
        """The user's own line, else the library's."""
        return self.where if self.where.file is not None else self.library

    @property
    def named(self) -> str:
        """The operation, or what the value came with."""
        return self.operation or self.name

    def figures(self) -> dict[str, object]:
        """Return all of it, plain enough for JSON."""
        told: dict[str, object] = {
            name: getattr(self, name)
            for name in ("when", "what", "operation", "node", "module", "name", "count", "size")
        }
        told |= {"shape": list(self.shape), "dtype": self.dtype, "intended": self.intended}
        told |= {"rows": None if self.rows is None else list(self.rows)}
        told |= {"from": list(self.operands), "family": self.family}
        told |= {"why": self.why, "cure": self.cure}
        for name, place in (("where", self.where), ("library", self.library)):
            told[name] = {"file": place.file, "line": place.line, "source": place.source}
        return told


@dataclass(frozen=True, repr=False, eq=False)
class Trace(Fact):
    """
    What became of a search for values that are not finite.

    `origin` is the birth that reached the loss, a gradient or a weight, None where all was finite;
    `causes` are the births of the infinities that it was made from, the earliest first. `batch`
    counts the batch of the fault from 0, `step` the optimizer step.
    """

    doing = "Looking for values that are not finite"

    batches: int
    steps: int = 0
    tokens: int = 0
    origin: Birth | None = None
    causes: tuple[Birth, ...] = ()
    loss: float = UNKNOWN
    batch: int | None = None
    step: int | None = None
    batch_rows: int = 0
    """How many rows the batch of the fault has."""
    places: tuple[int, ...] = ()
    """The rows of the batch that the value comes from, as far as they are known."""
    rows: tuple[int, ...] = ()
    """The rows of the training data that the value comes from, as far as they are known."""
    shows: tuple[str, ...] = ()
    """What those rows hold, at most three of them."""
    reproduced: bool = True
    """Whether the value came up again in the replay that looks at each operation."""
    complete: bool = False
    """Whether all training data was gone through."""
    there: int | None = None
    """The number of batches that the training data makes, where it is known."""
    precision: str = ""
    """The type of mixed precision that the batch was run in, such as "float16"; empty if none."""
    precisions: Mapping[str, bool] = field(default_factory=dict)
    """Of a batch that is not finite in it: whether it is in the other types, float32 included."""
    notes: tuple[str, ...] = field(default=())
    """What the user has to know of how it was looked for."""
    of_loop: bool = False
    """Whether it was looked for in a loop of the script's own, while that ran."""
    replayed: bool = True
    """Whether there was a second run, in which each operation of the step was looked at."""

    @property
    def finite(self) -> bool:
        """Whether nothing was found."""
        return self.origin is None and self.reproduced

    @property
    def root(self) -> Birth | None:
        """The first birth that was not meant to be: of the infinity that NaN was made from."""
        meant = (birth for birth in self.causes if not birth.intended)
        return next(meant, self.origin)

    def summary(self) -> Mapping[str, object]:
        """Tell what was gone through: proof that it ran."""
        return {"batches": self.batches, "steps": self.steps, "finite": self.finite}

    def figures(self) -> Mapping[str, object]:
        """Tell all of it."""
        loss: object = None
        if self.known("loss"):
            loss = self.loss if abs(self.loss) < float("inf") else str(self.loss)
        return {
            "finite": self.finite,
            "batches": self.batches,
            "steps": self.steps,
            "tokens": self.tokens,
            "complete": self.complete,
            "there": self.there,
            "loss": loss,
            "batch": self.batch,
            "step": self.step,
            "batch_rows": self.batch_rows,
            "places": list(self.places),
            "rows": list(self.rows),
            "shows": list(self.shows),
            "reproduced": self.reproduced,
            "precision": self.precision,
            "precisions": dict(self.precisions),
            "origin": None if self.origin is None else self.origin.figures(),
            "causes": [cause.figures() for cause in self.causes],
            "notes": list(self.notes),
        }

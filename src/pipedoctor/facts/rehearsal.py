"""An evaluation of a few rows, as Trainer would make it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipedoctor.fact import Fact
from pipedoctor.finding import NOWHERE, Location


@dataclass(frozen=True, repr=False, eq=False)
class Rehearsal(Fact):
    """
    What the evaluation step yields for a few rows, and what the metrics function makes of it.

    `losses` and `label_counts` have an entry for each batch: its loss, and how many of its labels
    count for a loss. `has_labels` says whether Trainer finds the labels under `label_names`;
    without them there is neither a loss nor a metric. `shapes` are those of the predictions, one
    for each array of them, which is several where the model returns more than its logits.
    """

    doing = "Rehearsing the evaluation with a few rows"

    rows: int
    has_labels: bool
    label_names: tuple[str, ...] = ()
    losses: tuple[float, ...] = ()
    label_counts: tuple[int, ...] = ()
    batch_rows: tuple[tuple[int, ...], ...] = ()
    """The rows of each batch."""
    shapes: tuple[tuple[int, ...], ...] = ()
    parts: int = 1
    """How many the predictions are: more than one stand in a tuple."""
    ignored: Mapping[str, int] = field(default_factory=dict)
    """How often -100 stands in what the metrics function gets, in "labels" and "predictions"."""
    generated: bool = False
    """Whether the predictions are texts that the model generated."""

    called: bool = False
    """Whether the metrics function was called."""
    reason: str = ""
    """Why it was not."""
    unproven: bool = False
    """Whether there is a function that the evaluation calls, and it could not be tried."""
    names: tuple[str, ...] = ()
    """The names of the metrics that it returned."""
    raised: BaseException | None = None
    """What it raised."""
    cure: str = ""
    """
    With which change of its arguments it returned, after it had raised: "first" (only the first
    array of the tuple), "classes" (the number of the largest logit for the logits), "filled" (a
    token for each -100), or several of these words; empty where none of them helped.
    """
    where: Location = NOWHERE
    """The line of the user's code that raised."""

    @property
    def error(self) -> str:
        """What the metrics function raised, in words."""
        error = self.raised
        if error is None:
            return ""
        return " ".join(f"{type(error).__name__}: {error}".rstrip(": ").split())

    def summary(self) -> Mapping[str, object]:
        """Tell what was seen: proof that it ran."""
        return {"rows": self.rows, "called": self.called, "metrics": list(self.names)}

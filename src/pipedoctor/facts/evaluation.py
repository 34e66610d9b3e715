"""What an evaluation gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipedoctor.fact import UNKNOWN, Fact

PREFIX = "eval_"
"""What Trainer puts before the names that the metrics function gives."""


@dataclass(frozen=True, repr=False, eq=False)
class Evaluation(Fact):
    """
    The names of the figures that an evaluation yields, with the prefix `eval_`.

    `has_data` says whether there is evaluation data at all; `has_labels` whether it has labels,
    without which there is no `eval_loss` and no metric.
    """

    doing = "Rehearsing the evaluation with a few rows"

    has_data: bool = UNKNOWN
    has_labels: bool = UNKNOWN
    metrics: tuple[str, ...] = UNKNOWN
    """The names that the metrics function gives, such as "eval_accuracy"."""

    rehearsed: bool = UNKNOWN
    """Whether the metrics function was called with real batches, and returned."""

    sets: tuple[str, ...] = ()
    """The names of the sets of evaluation data, if there are several; each is evaluated alone."""

    @property
    def losses(self) -> tuple[str, ...]:
        """The names of the loss, as the evaluation of each set reports it."""
        return names_of(("loss",), self.sets)

    def summary(self) -> Mapping[str, object]:
        """Tell the names."""
        return {"metrics": list(self.metrics)} if self.known("metrics") else {}


def prefixed(name: str) -> str:
    """Return a metric's name as Trainer reports it, and looks it up."""
    return name if name.startswith(PREFIX) else PREFIX + name


def names_of(names: Iterable[str], sets: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the names of figures as Trainer reports them, for each set of evaluation data."""
    starts = [f"{PREFIX}{name}_" for name in sets] or [PREFIX]
    names = tuple(names)
    return tuple(n if n.startswith(start) else start + n for start in starts for n in names)

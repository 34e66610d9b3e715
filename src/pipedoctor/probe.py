"""
Probes: the functions that measure facts.

Several may be registered for one fact; the cheapest whose parts are there is tried first, and
the next one where it raises `Unavailable`. Probes that need no framework live in
`pipedoctor.probes`, the others in the adapters of `pipedoctor.frameworks`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipedoctor.fact import Cost, Fact, Split

if TYPE_CHECKING:
    from pipedoctor.pipeline import Pipeline

Measure = Callable[["Pipeline", Split], Fact]


@dataclass(frozen=True)
class Probe:
    """
    How to measure a fact, at what cost, from which parts.

    `parts` are the names that must be there; `{data}` stands for `train_data` or `eval_data`,
    whichever the split asks for. `user_code` says that the user's own code runs in there, so
    that what it raises is theirs to see and not a bug of ours.
    """

    fact: type[Fact]
    cost: Cost
    measure: Measure
    parts: tuple[str, ...] = ()
    user_code: bool = False

    def needs(self, split: Split) -> tuple[str, ...]:
        """Return the names of the parts that it reads for a split."""
        return tuple(part.format(data=f"{split.value}_data") for part in self.parts)


def probe(
    fact: type[Fact], cost: Cost, *parts: str, user_code: bool = False
) -> Callable[[Measure], Probe]:
    """Turn a function of the pipeline and a split into a probe of a fact."""

    def declare(measure: Measure) -> Probe:
        return Probe(fact, cost, measure, parts, user_code)

    return declare


def probes_in(module: Any) -> list[Probe]:
    """Return the probes that a module defines, in their order."""
    return [value for value in vars(module).values() if isinstance(value, Probe)]

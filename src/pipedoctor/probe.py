"""
Probes: the functions that measure facts.

Several may be registered for one fact; the cheapest whose parts are there is tried first, and
the next one where it raises `Unavailable`. Probes that need no framework live in
`pipedoctor.probes`, the others in the adapters of `pipedoctor.frameworks`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pipedoctor.fact import Cost, Fact, Split

if TYPE_CHECKING:
    from pipedoctor.pipeline import Pipeline

Measure = Callable[["Pipeline", Split], Fact]


@dataclass(frozen=True, repr=False, eq=False)
class Probe:
    """
    How to measure a fact, at what cost, from which parts.

    `provides` is the name of the fact's class, with its module. `parts` are the names that must
    be there; `{data}` stands for `train_data` or `eval_data`, whichever the split asks for.
    `user_code` says that the user's own code runs in there, so that what it raises is theirs to
    see and not a bug of ours.
    """

    provides: str
    cost: Cost
    measure: Measure
    parts: tuple[str, ...] = ()
    user_code: bool = False

    def needs(self, split: Split) -> tuple[str, ...]:
        """Return the names of the parts that it reads for a split."""
        return tuple(part.format(data=f"{split.value}_data") for part in self.parts)

    def of(self, fact: type[Fact]) -> bool:
        """Whether it measures this fact."""
        return self.provides == name_of(fact)


def name_of(fact: type[Fact]) -> str:
    """Return the name of a fact's class, with its module."""
    return f"{fact.__module__}.{fact.__qualname__}"


def probe(
    fact: type[Fact], cost: Cost, *parts: str, user_code: bool = False
) -> Callable[[Measure], Probe]:
    """Turn a function of the pipeline and a split into a probe of a fact."""

    def declare(measure: Measure) -> Probe:
        return Probe(name_of(fact), cost, measure, parts, user_code)

    return declare


def listed(module: str, function: str, row: dict[str, Any]) -> Probe:
    """Return a probe as an index tells it; its module is imported when it first measures."""

    def measure(pipeline: Pipeline, split: Split) -> Fact:
        real: Probe = getattr(import_module(module), function)
        return real.measure(pipeline, split)

    cost = Cost[row["cost"]]
    return Probe(row["provides"], cost, measure, tuple(row["parts"]), row["user_code"])

"""Pairs of packages that break each other although their metadata allow it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipedoctor.facts.arguments import version_key
from pipedoctor.finding import Finding


@dataclass(frozen=True)
class Pair:
    """
    Two packages, and the versions of each that were seen not to work together.

    Bounds are versions whose sources were read, or that the report names: `(from, up to)`, either
    of them "" where there is none. Versions between the last one that works and the first one
    that doesn't are not counted.
    """

    one: str
    of_one: tuple[str, str]
    other: str
    of_other: tuple[str, str]
    error: str
    remedy: str
    source: str
    beside: str = ""
    """Another package, without which the two go together."""
    unless: str = ""
    """Another package, with which the two go together."""

    def holds(self, versions: Mapping[str, str]) -> bool:
        """Whether both are installed in versions that don't go together."""
        return (
            self.one in versions
            and self.other in versions
            and _within(versions[self.one], self.of_one)
            and _within(versions[self.other], self.of_other)
            and (not self.beside or self.beside in versions)
            and self.unless not in versions
        )


def _within(version: str, bounds: tuple[str, str]) -> bool:
    key = version_key(version)
    low, high = bounds
    return (not low or key >= version_key(low)) and (
        not high or key[: len(version_key(high))] <= version_key(high)
    )


def findings(pairs: tuple[Pair, ...], versions: Mapping[str, str]) -> Iterator[Finding]:
    """Yield a finding for each pair that is installed."""
    for pair in pairs:
        if pair.holds(versions):
            one, other = versions[pair.one], versions[pair.other]
            yield Finding(
                message=f"{pair.one} {one} does not work with {pair.other} {other}, whatever their "
                f"metadata say: {pair.error}",
                evidence={pair.one: one, pair.other: other, "source": pair.source},
                remedy=pair.remedy,
            )

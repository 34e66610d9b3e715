"""
How values that are not finite descend, operation by operation, where arrays are not torch's.

The idea is that of `tracing.lineage`: nothing is judged when it comes up; each birth has a number,
the numbers of its ancestors go with what is computed from it, and only what has come through to
the loss, a gradient or a weight is looked at in the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pipedoctor.facts.trace import BACKWARD, DATA, FORWARD, OPTIMIZER, WEIGHTS, Birth
from pipedoctor.finding import NOWHERE, Location
from pipedoctor.frameworks.fitting.nan import values, words
from pipedoctor.frameworks.tracing import families
from pipedoctor.frameworks.tracing.lineage import MOST, Line
from pipedoctor.frameworks.tracing.values import NAN


@dataclass(frozen=True)
class Site:
    """Where an operation belongs; `derived` is the operation whose derivative it computes."""

    when: str = FORWARD
    module: str = ""
    where: Location = NOWHERE
    library: Location = NOWHERE
    derived: str = ""


class Journal:
    """
    Follows arrays by their keys, which are never used twice.

    `size` is the number of rows of the batch, `shapes` are those of the weights.
    """

    def __init__(self, size: int, shapes: frozenset[tuple[int, ...]]) -> None:
        """Know of nothing bad yet."""
        self.lines: list[Line] = []
        self._size = size
        self._shapes = shapes
        self._known: dict[Any, tuple[int, frozenset[int]]] = {}

    def came_with(self, key: Any, value: Any, when: str, name: str, site: Site = Site()) -> None:
        """Look at an array that is there before anything is computed."""
        if what := values.kind(value):
            self._known[key] = what, self._arrived(values.array(value), what, when, name, site)

    def ancestors(self, keys: Iterable[Any]) -> list[int]:
        """Return the numbers of the births that these arrays' bad values come from."""
        found: set[int] = set()
        for key in keys:
            found |= self._known.get(key, (0, frozenset()))[1]
        return sorted(found)

    def ran(
        self,
        operation: str,
        inputs: Sequence[tuple[Any, Any]],
        outputs: Sequence[tuple[Any, Any]],
        site: Callable[[], Site],
    ) -> None:
        """Look at what an operation gave, keys with arrays, of what it was given."""
        bad, parents = 0, frozenset[int]()
        for key, _ in inputs:
            what, ids = self._known.get(key, (0, frozenset[int]()))
            bad |= what
            parents |= ids
        for key, value in outputs:
            what = values.kind(value)
            if not what:
                self._known.pop(key, None)
                continue
            ids = parents
            if not bad or (what & NAN and not bad & NAN):
                ids = self._born(operation, inputs, value, (what, parents), site())
            self._known[key] = what, ids

    def _born(
        self,
        operation: str,
        inputs: Sequence[tuple[Any, Any]],
        out: Any,
        came: tuple[int, frozenset[int]],
        site: Site,
    ) -> frozenset[int]:
        what, parents = came
        found, strangers = self._strangers(inputs, site)
        parents |= strangers
        if (found and (found & NAN or not what & NAN)) or len(self.lines) >= MOST:
            return parents
        self.lines.append(Line(self._birth(operation, inputs, out, what, site), what, parents))
        return parents | {len(self.lines) - 1}

    def _strangers(
        self, inputs: Sequence[tuple[Any, Any]], site: Site
    ) -> tuple[int, frozenset[int]]:
        """
        Look at operands that nothing is known of.

        In a backward pass the framework adds gradients up out of sight: what is bad in such a sum
        comes from what was born there before.
        """
        found, ids = 0, frozenset[int]()
        for key, value in inputs:
            if key in self._known or not (what := values.kind(value)):
                continue
            if site.when == BACKWARD and self.lines:
                parents = frozenset({len(self.lines) - 1}) | self.lines[-1].parents
            else:
                parents = self._arrived(values.array(value), what, site.when, "", site)
            self._known[key] = what, parents
            found, ids = found | what, ids | parents
        return found, ids

    def _arrived(self, held: Any, what: int, when: str, name: str, site: Site) -> frozenset[int]:
        why, cure = families.CAME_WITH_TENSOR
        family = ""
        if when == DATA:
            (why, cure), family = families.CAME_WITH_DATA, "not-finite-in-the-data"
        elif when == WEIGHTS:
            (why, cure), family = families.CAME_WITH_WEIGHTS, "not-finite-in-the-weights"
        bad = values.places(held, what)
        birth = Birth(
            when=when,
            what=values.word(held, what),
            name=name or "a tensor of the code's own",
            module=name.rpartition("/")[0] if when == WEIGHTS else site.module,
            where=site.where,
            library=site.library,
            count=int(bad.sum()),
            size=int(bad.size),
            shape=tuple(bad.shape),
            dtype=str(held.dtype),
            rows=values.rows(bad, self._size, frozenset()) if when == DATA else None,
            family=family,
            why=why,
            cure=words.cure(family, cure),
            intended=not what & NAN and when != WEIGHTS,
        )
        self.lines.append(Line(birth, what, frozenset()))
        return frozenset({len(self.lines) - 1})

    def _birth(
        self,
        operation: str,
        inputs: Sequence[tuple[Any, Any]],
        out: Any,
        what: int,
        site: Site,
    ) -> Birth:
        held = values.array(out)
        bad = values.places(held, what)
        told, labels = words.described([values.array(value) for _, value in inputs], bad)
        word = values.word(held, what)
        kin = words.kin(operation, site.derived, site.when, word, labels)
        aten = words.ATEN.get(operation, "")
        low = word == "-inf" and any(label.endswith("=lowest") for label in labels)
        intended = not what & NAN and (
            aten in words.MASKING or (low and aten in words.MASK_ARITHMETIC)
        )
        why, cure = (kin.why, kin.cure) if kin is not None else families.UNKNOWN_FAMILY
        family = kin.name if kin is not None else ""
        if intended:
            told, family, why, cure = (), "", "", ""
        return Birth(
            when=site.when,
            what=word,
            operation=operation,
            node=f"gradient of {site.derived}" if site.derived else "",
            module=site.module,
            where=site.where,
            library=site.library,
            count=int(bad.sum()),
            size=int(bad.size),
            shape=tuple(bad.shape),
            dtype=str(held.dtype),
            rows=None if site.when == OPTIMIZER else values.rows(bad, self._size, self._shapes),
            operands=told,
            family=family,
            why=why,
            cure=words.cure(family, cure),
            intended=intended,
        )

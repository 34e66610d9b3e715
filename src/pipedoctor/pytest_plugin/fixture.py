"""What the fixture `examine` gives: `pipedoctor.examine` with the wishes of the project."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from pipedoctor import live
from pipedoctor.fact import Cost
from pipedoctor.options import UsageError, codes
from pipedoctor.pytest_plugin.project import Project
from pipedoctor.report import Report

Codes = str | Iterable[str]


class Examine:
    """Examines live objects as `[tool.pipedoctor]` asks, and as the test asks besides."""

    def __init__(self, project: Project) -> None:
        """Take the wishes of the project."""
        self._project = project

    def __call__(
        self,
        trainer: Any = None,
        /,
        *,
        select: Codes | None = None,
        ignore: Codes = (),
        depth: str | Cost = live.DEEPEST,
        **parts: Any,
    ) -> Report:
        """
        Examine a Trainer, or parts by name, and leave them as they were.

        `select` and `ignore` hold codes or their beginnings: ["LAB", "CKP001"] or "LAB,CKP001".

        Raises:
            UsageError: There is no such check, or no such depth.
            TypeError: There is no such part, or nobody knows such a trainer.

        """
        __tracebackhide__ = True  # the line of the test is what its author wants to see
        options = self._project.options
        if select is not None:
            options = replace(options, select=self._codes(select, "select"))
        ignored = (*options.ignore, *self._codes(ignore, "ignore"))
        options = replace(options, ignore=ignored, depth=_depth(depth))
        return live.examine(trainer, options=options, **parts)

    def _codes(self, words: Codes, source: str) -> tuple[str, ...]:
        __tracebackhide__ = True
        listed = words.split(",") if isinstance(words, str) else words
        return codes([word.strip() for word in listed], self._project.registry, source)


def _depth(word: str | Cost) -> Cost:
    __tracebackhide__ = True
    try:
        return word if isinstance(word, Cost) else Cost[word.upper()]
    except KeyError:
        there = ", ".join(cost.name.lower() for cost in Cost)
        raise UsageError(f"there is no depth {word!r}; there are {there}") from None

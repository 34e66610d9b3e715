"""
The installed checks, as rows that tell enough to choose, rank and list them.

Only a check that is going to run has its module imported: the rows come from an index (see
`pipedoctor.index`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from pipedoctor import index, plugins
from pipedoctor.declare import AnyCheck
from pipedoctor.fact import Split
from pipedoctor.finding import Severity, Stage
from pipedoctor.report import Rule


@dataclass(frozen=True, repr=False, eq=False)
class Want:
    """A fact that a check needs, by the name of its class."""

    fact: str
    split: Split | None
    optional: bool


@dataclass(frozen=True, repr=False, eq=False)
class Row:
    """What is known of a check without importing it."""

    rule: Rule
    summary: str
    wants: tuple[Want, ...]
    options: dict[str, Any]
    symptoms: dict[str, str]
    module: str
    function: str
    in_text: bool = False
    """Whether the text of a script may show the fault, without the facts."""

    @property
    def code(self) -> str:
        """The code of the check."""
        return self.rule.code

    def load(self) -> AnyCheck:
        """Import the check."""
        check: AnyCheck = getattr(import_module(self.module), self.function)
        return check


@dataclass(frozen=True, repr=False, eq=False)
class Registry:
    """The installed checks in the order of their codes, and a line for each that can't be had."""

    rows: tuple[Row, ...]
    problems: tuple[str, ...] = ()

    @property
    def checks(self) -> tuple[AnyCheck, ...]:
        """All checks, imported."""
        return tuple(row.load() for row in self.rows)

    def __getitem__(self, code: str) -> AnyCheck:
        """Return the check of a code, imported; `KeyError` if there is none."""
        return self.row(code).load()

    def row(self, code: str) -> Row:
        """Return the row of a code; `KeyError` if there is none."""
        for row in self.rows:
            if row.code == code:
                return row
        raise KeyError(code)


@cache
def load() -> Registry:
    """Return the checks of all installed plugins."""
    return collect(plugins.entries(plugins.CHECKS))


def collect(entries: Iterable[plugins.Plugin]) -> Registry:
    """Return the checks of these plugins; one that fails hides no other."""
    found: dict[str, Row] = {}
    problems: list[str] = []
    for plugin in entries:
        try:
            rows = rows_of(plugin.module)
        except Exception as error:  # noqa: BLE001 - one broken plugin must not hide the others
            problems.append(f"plugin {plugin.name}: {type(error).__name__}: {error}")
            continue
        for row in rows:
            if found.setdefault(row.code, row) is not row:
                other = found[row.code]
                problems.append(
                    f"plugin {plugin.name}: {row.code} of {row.module} is left out, "
                    f"{other.module} has that code"
                )
    return Registry(tuple(found[code] for code in sorted(found)), tuple(problems))


def rows_of(package: str) -> list[Row]:
    """Return the rows of a package of checks, or of a single module."""
    return [
        _row(entry, module, function)
        for module, held in index.modules(package).items()
        for function, entry in held.get("checks", {}).items()
    ]


def _row(entry: dict[str, Any], module: str, function: str) -> Row:
    return Row(
        Rule(
            entry["code"],
            entry["name"],
            Severity[entry["severity"]],
            Stage[entry["stage"]],
            frozenset(entry["explains"]),
        ),
        entry["summary"],
        tuple(
            Want(fact, Split(split) if split else None, optional)
            for fact, split, optional in entry["needs"]
        ),
        entry["options"],
        entry["symptoms"],
        module,
        function,
        entry["in_text"],
    )

"""Which of a report's fixes are made: in rank order, none that touches what another one changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pipedoctor.fix import Fix
from pipedoctor.fixing import Refused
from pipedoctor.fixing.edits import edited
from pipedoctor.report import Entry, Report


@dataclass(frozen=True)
class Draft:
    """A text with fixes made, the findings that they are of, and the fixes that were not made."""

    text: str
    made: tuple[Entry, ...] = ()
    refused: tuple[tuple[Entry, str], ...] = ()


@dataclass
class _Choice:
    """The fixes taken so far, and which keys of which call they touch."""

    taken: list[tuple[Entry, Fix]] = field(default_factory=list)
    refused: list[tuple[Entry, str]] = field(default_factory=list)
    touched: dict[tuple[str, str], str] = field(default_factory=dict)

    def take(self, entry: Entry, fix: Fix) -> None:
        if any(fix.edits == other.edits and fix.part == other.part for _, other in self.taken):
            return
        keys = [(fix.part, key) for edit in fix.edits for key in edit.keys]
        other = next((self.touched[key] for key in keys if key in self.touched), None)
        if other is not None:
            self.refused.append((entry, f"{other} changes the same key"))
            return
        self.touched |= dict.fromkeys(keys, entry.rule.code)
        self.taken.append((entry, fix))


def drafted(report: Report, raw: str, *, unsafe: bool) -> Draft:
    """Return the text of the report's target with the fixes of its findings made."""
    choice = _Choice()
    for entry, fix in offered(report):
        if fix.safe or unsafe:
            choice.take(entry, fix)
    made = []
    # From the last line up, so that the lines of the others stay what they were.
    for entry, fix in sorted(choice.taken, key=lambda one: -(one[1].line or 0)):
        try:
            raw = edited(raw, report.target, fix)
        except Refused as reason:
            choice.refused.append((entry, str(reason)))
        else:
            made.append(entry)
    order = [entry for entry, _ in choice.taken]
    made.sort(key=order.index)
    return Draft(raw, tuple(made), tuple(choice.refused))


def offered(report: Report) -> Iterator[tuple[Entry, Fix]]:
    """Yield the findings whose fix changes the report's target, and no other file."""
    for entry in report.entries:
        fix = report.fix(entry.finding)
        if fix is not None:
            yield entry, fix

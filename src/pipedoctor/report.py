"""The result of an examination: pure data, which reporters render."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from pipedoctor.fact import Cost
from pipedoctor.finding import Confidence, Finding, Severity, Stage
from pipedoctor.fix import Fix


class Status(Enum):
    """How one check ended. Only `PASSED` means that nothing is wrong."""

    PASSED = "passed"
    FOUND = "found"
    SKIPPED = "skipped"  # a fact it needs is unavailable, or over the budget
    BLOCKED = "blocked"  # the user's own code raised before the check could tell
    CRASHED = "crashed"  # a bug in the check


@dataclass(frozen=True)
class Rule:
    """What a report must know of a check: enough to rank and fold, without its module."""

    code: str
    name: str
    severity: Severity
    stage: Stage
    explains: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Outcome:
    """
    What became of one check.

    `reason` says why it was skipped, blocked or crashed; `partial` that it met something unknown
    after these findings; `blocked_by` which finding names what stood in its way; `over` is the
    cost that would have told more, where that was beyond the budget.
    """

    rule: Rule
    status: Status
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    blocked_by: str | None = None
    partial: bool = False
    over: Cost | None = None
    seconds: float = 0.0

    @property
    def answered(self) -> bool:
        """Whether it came to an answer: nothing that it needs was lacking."""
        return self.status in {Status.PASSED, Status.FOUND} and not self.partial

    @property
    def telling(self) -> bool:
        """Whether it says anything of the pipeline."""
        return bool(self.findings) or self.status not in {Status.SKIPPED, Status.BLOCKED}


@dataclass(frozen=True)
class Entry:
    """One finding in its place in the report, with the consequences folded under it."""

    rule: Rule
    finding: Finding
    severity: Severity
    status: Status = Status.FOUND
    folded: tuple[Entry, ...] = ()


@dataclass(frozen=True)
class Suppressed:
    """
    A finding that the user has accepted, so that it does not count.

    `by` says how: "comment", "per-file-ignores" or "baseline"; `place` where that stands; `reason`
    what the comment says besides.
    """

    rule: Rule
    finding: Finding
    severity: Severity
    by: str
    place: str
    reason: str = ""


@dataclass(frozen=True)
class Coverage:
    """
    How many training rows were run through the model, of how many.

    `looked_at` are those whose token ids, masks and labels were looked at. None is not known.
    """

    run: int
    rows: int | None = None
    looked_at: int | None = None


@dataclass(frozen=True)
class Report:
    """
    The outcomes of all checks on one target.

    `subject` are the words that say what was examined; `facts` what was measured, each with its
    seconds; `problems` what went wrong on our side, a plugin that did not load for instance;
    `figures` what was asked for besides the checks, by the names of the facts that hold it.
    """

    target: str
    outcomes: tuple[Outcome, ...]
    subject: tuple[str, ...] = ()
    plan: tuple[str, ...] = ()
    facts: tuple[Mapping[str, object], ...] = ()
    problems: tuple[str, ...] = ()
    figures: Mapping[str, tuple[Mapping[str, object], ...]] = field(default_factory=dict)
    severities: Mapping[str, Severity] = field(default_factory=dict)
    preview: bool = False
    verbose: bool = False
    """Whether the report for people lists each check that was skipped, with the reason."""
    suppressed: tuple[Suppressed, ...] = ()
    cut: str = ""
    """What is said where the time was not enough to tell whether training may start."""
    stored: bool = False
    """Whether it is of what a training left, or of the machine: there is no model to be run."""

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The findings in rank order, consequences folded under their causes."""
        from pipedoctor.ranking import rank

        return rank(self)

    def severity(self, rule: Rule, finding: Finding) -> Severity:
        """How grave a finding is: as the user says, else as it says itself, else as its rule."""
        return self.severities.get(rule.code, finding.severity or rule.severity)

    def shown(self, finding: Finding) -> bool:
        """Whether the finding is sure enough for this report."""
        return self.preview or finding.confidence is not Confidence.LOW

    def fix(self, finding: Finding) -> Fix | None:
        """Return the fix of a finding, if it is one of the very file that was examined."""
        fix = finding.fix
        if fix is None or fix.file is None:
            return None
        return fix if os.path.abspath(fix.file) == os.path.abspath(self.target) else None

    @cached_property
    def refused(self) -> Mapping[int, str]:
        """Why fixes can't be made in the target as it stands, by the `id` of the fix."""
        from pipedoctor.fixing import trial

        fixes = [fix for entry in self.entries if (fix := self.fix(entry.finding)) is not None]
        return trial.refused(self.target, fixes) if fixes else {}

    def makeable(self, finding: Finding) -> Fix | None:
        """Return the fix of a finding, if the target can be changed so."""
        fix = self.fix(finding)
        return None if fix is None or id(fix) in self.refused else fix

    def worst(self) -> Severity | None:
        """The gravest severity found."""
        return max((entry.severity for entry in every(self.entries)), default=None)

    def ok(self, fail_on: Severity = Severity.WARNING) -> bool:
        """Whether nothing as grave as `fail_on` was found, nothing was blocked or crashed."""
        broken = {Status.BLOCKED, Status.CRASHED}
        worst = self.worst()
        return (worst is None or worst < fail_on) and not any(
            outcome.status in broken for outcome in self.outcomes
        )

    @property
    def proven(self) -> bool:
        """Whether the model was run on real rows; short of that, much can still be wrong."""
        return any(fact.get("fact") in {"Forward", "Gradients", "Loop"} for fact in self.facts)

    @property
    def coverage(self) -> Coverage | None:
        """How much of the training data was seen; None where the model was not run on it."""
        told = {row.get("fact"): row for row in self.facts if row.get("split") == "train"}
        run = _number(told.get("Forward"))
        if run is None:
            return None
        return Coverage(run, _number(told.get("Rows")), _number(told.get("TokenRows")))

    @property
    def ready(self) -> bool:
        """
        Whether training may start: no error, no warning, the model has been run, and time sufficed.

        Of a checkpoint or a machine, whether it has neither.
        """
        return self.ok() and not self.cut and (self.proven or self.stored)

    def obstacle(self, fail_on: Severity = Severity.WARNING) -> str | None:
        """Return in one line what keeps training from starting, or None if nothing does."""
        for entry in every(self.entries):
            if entry.status is Status.BLOCKED or entry.severity >= fail_on:
                return f"{entry.rule.code} {entry.rule.name}: {entry.finding.message}"
        for outcome in self.outcomes:
            if outcome.status is Status.CRASHED:
                return f"{outcome.rule.code} {outcome.rule.name} crashed, a bug in the check"
            if outcome.status is Status.BLOCKED:
                return f"{outcome.rule.code} {outcome.rule.name} was blocked: {outcome.reason}"
        if self.cut:
            return f"could not tell: {self.cut}"
        if self.proven or self.stored:
            return None
        return "the model was not run, so much can still be wrong"

    def assert_ready(self, fail_on: Severity | str = Severity.WARNING) -> None:
        """
        Fail unless training may start: nothing as grave as `fail_on`, and the model has been run.

        Raises:
            AssertionError: It may not; the text names the cause, then holds the report.

        """
        __tracebackhide__ = True  # pytest then shows the line that called, not this one
        from pipedoctor.options import severity

        level = severity(fail_on, None) if isinstance(fail_on, str) else fail_on
        obstacle = self.obstacle(level)
        if obstacle is not None:
            raise AssertionError(f"{obstacle}\n\n{self}")

    def count(self, status: Status) -> int:
        """How many checks ended so."""
        return sum(outcome.status is status for outcome in self.outcomes)

    def __repr__(self) -> str:
        """Name it in a line, as pytest shows it where an assertion on it fails."""
        return f"<Report of {self.target}: {self.obstacle() or 'ready'}>"

    def __str__(self) -> str:
        """Return the report for people."""
        from pipedoctor.reporters import text

        return text.plain(self)


def _number(told: Mapping[str, object] | None) -> int | None:
    """Return the number of rows that a fact tells, if it was measured."""
    value = None if told is None else told.get("rows")
    return value if isinstance(value, int) else None


def every(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Yield entries and all that is folded under them."""
    for entry in entries:
        yield entry
        yield from every(entry.folded)

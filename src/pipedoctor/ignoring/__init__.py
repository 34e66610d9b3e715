"""
What the user has accepted: set apart from the findings that count, and never quite forgotten.

A comment in the file, a pattern of files, a baseline: in this order, and each finding for the
first that covers it. What stopped the examination (a finding that blocked checks) can't be
accepted, since nobody knows what stands behind it.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from pipedoctor.examination import UNUSED
from pipedoctor.fact import Cost
from pipedoctor.finding import Finding
from pipedoctor.ignoring import comments
from pipedoctor.ignoring.comments import Comment
from pipedoctor.options import Options
from pipedoctor.registry import Registry, Row
from pipedoctor.report import Outcome, Report, Rule, Status, Suppressed

Cover = Callable[[Rule, Finding], "tuple[str, str, str] | None"]


def heed(report: Report, options: Options, registry: Registry) -> Report:
    """Return the report with what is accepted set apart, and comments of no use told."""
    wishes = _Comments(report.target)
    told, suppressed = _without(report, report.outcomes, wishes.covering)
    late = next((outcome for outcome in told if outcome.rule.code == UNUSED), None)
    if late is not None and os.path.isfile(report.target):
        found = wishes.outcome(registry.row(UNUSED), told, registry, options)
        (mine,), more = _without(report, [found], wishes.covering)
        told = [mine if outcome is late else outcome for outcome in told]
        suppressed += more

    def by_file(rule: Rule, finding: Finding) -> tuple[str, str, str] | None:
        file = finding.where.file or report.target
        fits = (one for one in options.per_file if one.covers(rule.code, file))
        return next((("per-file-ignores", one.pattern, "") for one in fits), None)

    told, more = _without(report, told, by_file)
    report = replace(report, outcomes=tuple(told), suppressed=(*suppressed, *more))
    return report if options.baseline is None else known(report, options.baseline)


def known(report: Report, path: str) -> Report:
    """
    Return the report without what a baseline holds; what no longer occurs is told.

    Raises:
        UsageError: There is no such baseline.

    """
    from pipedoctor.ignoring import baseline
    from pipedoctor.ignoring.fingerprint import fingerprint
    from pipedoctor.units import plural

    accepted = baseline.read(path)
    gone = accepted.gone(report)
    left: Counter[str] = accepted.of(report)

    def by_baseline(rule: Rule, finding: Finding) -> tuple[str, str, str] | None:
        mark = fingerprint(rule.code, finding)
        left[mark] -= 1
        return ("baseline", accepted.name, "") if left[mark] >= 0 else None

    told, more = _without(report, report.outcomes, by_baseline)
    problems = report.problems
    if gone:
        names = ", ".join(f"{one.code} {one.name}" for one in gone)
        one = len(gone) == 1
        text = (
            f"{plural(len(gone), 'finding')} of the baseline {accepted.name} no longer "
            f"{'occurs' if one else 'occur'} in {report.target}: {names}; "
            f"--write-baseline takes {'it' if one else 'them'} out"
        )
        problems = (*problems, text)
    return replace(
        report,
        outcomes=tuple(told),
        suppressed=(*report.suppressed, *more),
        problems=problems,
    )


def _without(
    report: Report, outcomes: list[Outcome] | tuple[Outcome, ...], cover: Cover
) -> tuple[list[Outcome], list[Suppressed]]:
    """Return the outcomes without the findings that are covered, and those."""
    told: list[Outcome] = []
    suppressed: list[Suppressed] = []
    for outcome in outcomes:
        kept = []
        for finding in outcome.findings:
            covered = None
            if outcome.status is not Status.BLOCKED and report.shown(finding):
                covered = cover(outcome.rule, finding)
            if covered is None:
                kept.append(finding)
                continue
            level = report.severity(outcome.rule, finding)
            suppressed.append(Suppressed(outcome.rule, finding, level, *covered))
        fewer = len(kept) < len(outcome.findings)
        told.append(replace(outcome, findings=tuple(kept)) if fewer else outcome)
    return told, suppressed


@dataclass
class _Comments:
    """The comments of the files that a report speaks of, and what each of them was good for."""

    target: str

    def __post_init__(self) -> None:
        """Begin with no file read."""
        self._read: dict[str, list[Comment]] = {}
        self._used: set[tuple[int, str]] = set()

    def covering(self, rule: Rule, finding: Finding) -> tuple[str, str, str] | None:
        """Return the comment that covers a finding."""
        covered = None
        for comment in self._of(finding.where.file or self.target):
            word = comment.covers(rule.code, finding.where.line)
            if word is not None:
                self._used.add((id(comment), word))
                covered = covered or ("comment", str(comment.where), comment.reason)
        return covered

    def outcome(
        self, row: Row, told: list[Outcome], registry: Registry, options: Options
    ) -> Outcome:
        """Return what the check of comments finds in the target's own file."""
        from pipedoctor.facts.ignore_comments import UselessComment

        useless = []
        for comment in self._of(self.target):
            known = {code for code in comment.codes if _starts(code, registry)}
            unknown = tuple(code for code in comment.codes if code not in known)
            unused = tuple(
                code
                for code in comment.codes
                if code in known
                and (id(comment), code) not in self._used
                and _answered(code, told, registry)
            )
            if unused or unknown or not comment.codes:
                useless.append(
                    UselessComment(
                        comment.codes, unused, unknown, comment.where, comment.whole_file
                    )
                )
        if not useless:
            return Outcome(row.rule, Status.PASSED)
        from pipedoctor.parts import Parts
        from pipedoctor.pipeline import Pipeline
        from pipedoctor.probes.ignore_comments import ignore_comments
        from pipedoctor.runner import run_one

        parts = Parts({"run": {"comments": useless}})
        subject = Pipeline(parts, [ignore_comments], Cost.STATIC)
        outcome = run_one(row.load(), subject, options.of(row.code))
        return replace(outcome, rule=row.rule)

    def _of(self, file: str) -> list[Comment]:
        path = os.path.abspath(file)
        if path not in self._read:
            self._read[path] = comments.read(file) if os.path.isfile(path) else []
        return self._read[path]


def _starts(word: str, registry: Registry) -> bool:
    return any(row.code.startswith(word) for row in registry.rows)


def _answered(word: str, told: list[Outcome], registry: Registry) -> bool:
    """Whether all checks that the word stands for have come to an answer."""
    answered = {outcome.rule.code for outcome in told if outcome.answered}
    meant = {row.code for row in registry.rows if row.code.startswith(word)}
    return meant <= answered

"""
What the user's own code raised, told as a finding.

A probe in which the user's code raises yields one finding: of the check whose declared error
text matches, else of RUN001. If that check has found the fault by itself already, its finding
stands for both. The checks that could not run for it say what they were blocked by.
"""

from __future__ import annotations

import linecache
import re
import sys
import sysconfig
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import PurePath

from pipedoctor.declare import AnyCheck
from pipedoctor.finding import Finding, Location
from pipedoctor.pipeline import Pipeline, ProbeFailed
from pipedoctor.report import Outcome, Status
from pipedoctor.runner import rule

FALLBACK = "RUN001"


def attribute(
    outcomes: Iterable[Outcome], pipeline: Pipeline, checks: Sequence[AnyCheck]
) -> list[Outcome]:
    """Return the outcomes with a finding for each thing that the user's code raised."""
    told = {outcome.rule.code: outcome for outcome in outcomes}
    by_code = {check.code: check for check in checks}
    culprits: dict[str, str] = {}
    for measurement in pipeline.measurements.values():
        failure = measurement.failure
        if not isinstance(failure, ProbeFailed) or str(failure) in culprits:
            continue
        code, remedy = _culprit(failure, checks)
        check = by_code.get(code)
        culprits[str(failure)] = code
        if check is None:
            continue
        before = told.get(code)
        if before is not None and before.findings:
            continue
        told[code] = Outcome(
            rule(check), Status.BLOCKED, (_finding(failure, remedy),), str(failure)
        )
    return [
        replace(outcome, blocked_by=culprits.get(outcome.reason))
        if outcome.status is Status.BLOCKED and culprits.get(outcome.reason) != outcome.rule.code
        else outcome
        for outcome in told.values()
    ]


def _culprit(failure: ProbeFailed, checks: Sequence[AnyCheck]) -> tuple[str, str | None]:
    for check in checks:
        for pattern, remedy in check.symptoms.items():
            if re.search(pattern, str(failure)):
                return check.code, remedy
    return FALLBACK, None


def _finding(failure: ProbeFailed, remedy: str | None) -> Finding:
    error = failure.__cause__
    assert error is not None
    where = replace(user_frame(error), split=failure.split.value if failure.split else None)
    what = failure.fact.__name__.lower()
    text = str(failure).strip().splitlines()[0][:500]
    return Finding(
        message=f"Measuring the {what} raised {text}",
        where=where,
        evidence={"error": type(error).__name__, "text": str(error)[:2000], "fact": what},
        remedy=remedy or "mend this first: training would raise the same",
    )


def user_frame(error: BaseException) -> Location:
    """Return the innermost frame that is not inside an installed library or pipedoctor."""
    libraries = {PurePath(path) for path in sysconfig.get_paths().values()}
    own = PurePath(__file__).parent
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        path = PurePath(frame.f_code.co_filename)
        if own in path.parents or any(library in path.parents for library in libraries):
            continue
        if "site-packages" in path.parts or str(path).startswith(("<frozen", sys.prefix)):
            continue
        source = linecache.getline(str(path), line).strip() or None
        return Location(file=str(path), line=line, source=source)
    return Location()

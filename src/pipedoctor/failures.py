"""
What the user's own code raised, told as a finding.

A probe in which the user's code raises yields one finding: of the check whose declared error
text matches, else of RUN001. If that check has found the fault by itself already, its finding
stands for both. The checks that could not run for it say what they were blocked by.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from types import TracebackType

from pipedoctor.capture import sites
from pipedoctor.fact import Split
from pipedoctor.finding import Finding, Location
from pipedoctor.pipeline import Pipeline, ProbeFailed, text_of
from pipedoctor.registry import Row
from pipedoctor.report import Outcome, Status

FALLBACK = "RUN001"

LONGEST = 300
"""Some libraries say a page; a finding shows so many characters of it."""


def attribute(
    outcomes: Iterable[Outcome], pipeline: Pipeline, rows: Sequence[Row]
) -> list[Outcome]:
    """Return the outcomes with a finding for each thing that the user's code raised."""
    told = {outcome.rule.code: outcome for outcome in outcomes}
    by_code = {row.code: row for row in rows}
    culprits: dict[str, str] = {}
    measured = [measurement.failure for measurement in pipeline.measurements.values()]
    failures = [failure for failure in measured if isinstance(failure, ProbeFailed)]
    # What both splits raise is told of the training data: training meets that first.
    for failure in sorted(failures, key=lambda failure: failure.split is Split.EVAL):
        if str(failure) in culprits:
            continue
        code, remedy = _culprit(failure, rows)
        cause = _found_already(code, told)
        culprits[str(failure)] = cause or code
        if code in by_code and cause is None:
            found = (_finding(failure, remedy, pipeline),)
            told[code] = Outcome(by_code[code].rule, Status.BLOCKED, found, str(failure))
    return [_blocked_by(outcome, culprits) for outcome in told.values()]


def _found_already(code: str, told: dict[str, Outcome]) -> str | None:
    """Return the check that has found this fault, or one that causes it, without the error."""
    for outcome in told.values():
        if outcome.findings and (outcome.rule.code == code or code in outcome.rule.explains):
            return outcome.rule.code
    return None


def _blocked_by(outcome: Outcome, culprits: dict[str, str]) -> Outcome:
    culprit = culprits.get(outcome.reason)
    if outcome.status is not Status.BLOCKED or culprit in {None, outcome.rule.code}:
        return outcome
    return replace(outcome, blocked_by=culprit)


def _culprit(failure: ProbeFailed, rows: Sequence[Row]) -> tuple[str, str | None]:
    for row in rows:
        for pattern, remedy in row.symptoms.items():
            if re.search(pattern, str(failure)):
                return row.code, remedy
    return FALLBACK, None


def _finding(failure: ProbeFailed, remedy: str | None, pipeline: Pipeline) -> Finding:
    error = failure.__cause__
    assert error is not None
    split = failure.split.value if failure.split else None
    where = user_frame(error)
    fit = sites.of(pipeline.parts, "fit")
    if where.file is None and fit is not None:  # the library itself refuses what it was given
        where = fit.place
    where = replace(where, split=split, rows=failure.rows)
    what = failure.fact.__name__.lower()
    doing = failure.doing or failure.fact.doing or f"Measuring the {what}"
    text = clipped(of_one_line(str(failure)))
    return Finding(
        message=f"{doing} raised {text}",
        where=where,
        evidence={"error": type(error).__name__, "text": failure.text[:2000], "fact": what},
        remedy=remedy or getattr(error, "remedy", None) or _cure(error),
    )


def _cure(error: BaseException) -> str:
    """Return what to do about an error that no check knows."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        return (
            f"install what provides {error.name.partition('.')[0]} for this Python, "
            f"{sys.executable}; if training uses another one, start pipedoctor with that: "
            "python -m pipedoctor"
        )
    return "mend this first: training would raise the same"


def of_one_line(text: str) -> str:
    """Return a reason, which may be an error's text, as it is told in a sentence."""
    return plain(" ".join(text.split()))


def plain(text: str) -> str:
    """
    Return an error's text without what TensorFlow and Keras add to it.

    That are names of nodes of a graph in front, and a traceback or a list of arguments behind.
    """
    said = re.sub(r"\{\{function_node [^}]*\}\}\s*", "", text)
    for behind in (" Traceback (most recent call last):", " Arguments received by "):
        said = said.partition(behind)[0]
    return said


def clipped(text: str) -> str:
    """Return the beginning of an error's text; the whole of it stands in the evidence."""
    if len(text) <= LONGEST:
        return text
    words = text[:LONGEST].rsplit(" ", 1)[0]
    return f"{words if len(words) > LONGEST // 2 else text[:LONGEST]} …"


def user_frame(error: BaseException) -> Location:
    """
    Return the innermost line that is neither in an installed library nor in pipedoctor.

    Code without a text, as `exec` runs it, is passed over if it was called from code with one.
    Where a call was refused for a keyword, the line is that of the keyword.
    """
    import linecache

    from pipedoctor import frames

    found = Location()
    trace = error.__traceback__
    while trace is not None:
        path, line = trace.tb_frame.f_code.co_filename, trace.tb_lineno
        if frames.users(trace.tb_frame):
            source = linecache.getline(path, line).strip() or None
            if source is not None or found.source is None:
                refused = _refused(error, path, trace) if source is not None else None
                source = linecache.getline(path, refused).strip() if refused else source
                found = Location(file=path, line=refused or line, source=source)
        trace = trace.tb_next
    return found


def _refused(error: BaseException, path: str, trace: TracebackType) -> int | None:
    """Return the line of the keyword that a call was refused for, if it is written there."""
    told = re.search(r"unexpected keyword argument '(\w+)'", text_of(error))
    if told is None:
        return None
    import linecache

    from pipedoctor.capture.calls import find, spot

    place = spot(trace.tb_frame.f_code, trace.tb_lasti, trace.tb_lineno)
    call = find("".join(linecache.getlines(path)), place)
    return None if call is None else call.keywords.get(told[1])

"""
The report for people, as lines of styled pieces: what is said and where it stands.

Whether the style becomes colour is decided where the lines are printed.
"""

from __future__ import annotations

import os
import re
import textwrap
from collections import Counter
from collections.abc import Iterator

from pipedoctor.finding import Location, Severity
from pipedoctor.report import Entry, Outcome, Report, Status, every
from pipedoctor.units import plural

Piece = tuple[str, str]
Line = list[Piece]

MARKS = {Severity.ERROR: "✗", Severity.WARNING: "!", Severity.NOTE: "·"}
# Control characters, and those that embed, override or isolate a direction of writing.
_STEERING = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")

STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.NOTE: "bold cyan"}


def lines(report: Report, width: int = 100) -> Iterator[Line]:
    """Yield the lines of a report for a page of this width."""
    yield [(clean(" · ".join((report.target, *report.subject))), "bold")]
    if report.plan:
        yield from wrapped(" · ".join(report.plan), "dim", 0, width)
    yield []
    for entry in report.entries:
        yield from finding(report, entry, width)
        yield []
    for outcome in report.outcomes:
        if outcome.status is Status.CRASHED:
            yield from crash(outcome, width)
            yield []
    for problem in report.problems:
        yield from wrapped(f"pipedoctor: {problem}", "yellow", 0, width)
    yield from wrapped(verdict(report), "bold green" if report.ready else "bold", 0, width)
    if told := fixable(report):
        yield from wrapped(told, "", 0, width)
    if report.verbose:
        yield from reasons(report, width)


def verdict(report: Report) -> str:
    """Return the last line: whether training may start, what that rests on, what is not counted."""
    return " · ".join([_verdict(report), *covered(report), *accepted(report)])


def covered(report: Report) -> list[str]:
    """Return how much of the training data the verdict rests on."""
    seen = report.coverage
    if seen is None:
        return []
    if seen.rows is None:
        return [f"{plural(seen.run, 'row')} of the stream were run through the model"]
    if seen.run >= seen.rows:
        return [f"all {plural(seen.rows, 'row')} were run through the model"]
    told = f"{seen.run:,} of {plural(seen.rows, 'row')} were run through the model"
    if seen.looked_at is None:
        return [told]
    many = f"all {seen.rows:,}" if seen.looked_at >= seen.rows else f"{seen.looked_at:,}"
    return [f"{told}, the tokens of {many} looked at"]


def accepted(report: Report) -> list[str]:
    """Return how many findings the user has accepted, in the code and in a baseline."""
    known = sum(one.by == "baseline" for one in report.suppressed)
    ignored = len(report.suppressed) - known
    told = [f"{ignored} ignored"] if ignored else []
    return [*told, f"{known} in the baseline"] if known else told


def _verdict(report: Report) -> str:
    passed = plural(report.count(Status.PASSED), "check") + " passed"
    tail = skipped(report)
    found = Counter(entry.severity for entry in every(report.entries))
    counts = [plural(found[severity], str(severity)) for severity in sorted(found, reverse=True)]
    crashed = report.count(Status.CRASHED)
    if crashed:
        counts.append(f"{plural(crashed, 'check')} crashed, which is pipedoctor's own fault")
    if not report.ok():
        counts = counts or [f"{plural(report.count(Status.BLOCKED), 'check')} blocked"]
        start = "" if report.stored else "Not ready: "
        return f"{start}{', '.join(counts)} · {passed}{' · ' + tail if tail else ''}"
    if report.cut:
        so_far = f"nothing wrong so far: {passed}{', ' + tail if tail else ''}"
        return " · ".join([f"Could not tell: {report.cut}", so_far, *counts])
    if not report.count(Status.PASSED) + report.count(Status.FOUND):
        return f"Nothing could be examined{': ' + tail if tail else ''}"
    if report.stored:
        told = f" · {', '.join(counts)}" if counts else ""
        return f"No error or warning: {passed}{', ' + tail if tail else ''}{told}"
    if not report.proven:
        told = f" · {', '.join(counts)}" if counts else ""
        so_far = "No error or warning so far, but the model was not run"
        return f"{so_far}: {passed}{', ' + tail if tail else ''}{told}"
    notes = f" · {', '.join(counts)}" if counts else ""
    return f"Ready to train: {passed}{', ' + tail if tail else ''}{notes}"


def fixable(report: Report) -> str:
    """Return how many findings of the report have a fix that can be made in its target."""
    fixes = [
        fix for entry in report.entries if (fix := report.makeable(entry.finding)) is not None
    ]
    safe = sum(fix.safe for fix in fixes)
    if not fixes:
        return ""
    if not safe:
        return f"{len(fixes)} fixable with --fix --unsafe-fixes"
    more = f", {len(fixes) - safe} more with --unsafe-fixes" if safe < len(fixes) else ""
    return f"{safe} fixable with --fix{more}"


def skipped(report: Report) -> str:
    """Return how many checks could not tell, and the commonest reasons."""
    why = Counter(_reason(outcome) for outcome in report.outcomes if _untold(outcome))
    if not why:
        return ""
    told = [f"{_short(reason)} ({number})" for reason, number in why.most_common(3)]
    more = sum(why.values()) - sum(number for _, number in why.most_common(3))
    if more:
        told.append(f"other reasons ({more})")
    return f"{sum(why.values())} skipped: {', '.join(told)}"


def reasons(report: Report, width: int = 100) -> Iterator[Line]:
    """Yield why each check that could not tell could not, those of one reason together."""
    told: dict[str, list[str]] = {}
    for outcome in report.outcomes:
        if _untold(outcome):
            told.setdefault(_reason(outcome), []).append(outcome.rule.code)
    for reason, codes in sorted(told.items(), key=lambda item: (-len(item[1]), item[0])):
        yield from wrapped(
            f"skipped, {(reason.splitlines() or ['without a reason'])[0]}:", "", 0, width
        )
        yield from wrapped(", ".join(codes), "dim", 2, width)


def _untold(outcome: Outcome) -> bool:
    blocked = outcome.status is Status.BLOCKED and not outcome.findings
    return outcome.status is Status.SKIPPED or blocked


def _reason(outcome: Outcome) -> str:
    if outcome.blocked_by:
        return f"blocked by {outcome.blocked_by}"
    return outcome.reason.rstrip(".")


def _short(reason: str) -> str:
    reason = reason.splitlines()[0]
    return reason if len(reason) <= 90 else reason[:89].rstrip() + "…"


def finding(report: Report, entry: Entry, width: int = 100) -> Iterator[Line]:
    """Yield the lines of one finding, and of what is folded under it."""
    found, style = entry.finding, STYLES[entry.severity]
    title = f"{MARKS[entry.severity]} {entry.rule.code} {entry.rule.name}"
    gap = max(2, width - len(title) - len(str(entry.severity)))
    yield [(title, style), (" " * gap, ""), (str(entry.severity), style)]
    yield from wrapped(clean(found.message).rstrip(".") + ".", "", 2, width)
    yield from place(report, found.where, width)
    for example in found.shows:
        yield [("    ", ""), (clip(clean(example), width - 4), "italic")]
    fix = report.makeable(found)
    option = "" if fix is None else f"  ({'--fix' if fix.safe else '--unsafe-fixes'})"
    yield from _labelled("fix", found.remedy, width, option)
    for alternative in found.alternatives:
        yield from _labelled("or", alternative, width)
    if entry.folded:
        yield from _folded(entry, width)


def _folded(entry: Entry, width: int) -> Iterator[Line]:
    """Yield what follows from a finding, and where else the same fault is."""
    told: dict[str, str] = {}
    for other in every(entry.folded):
        if other.rule.code == entry.rule.code:
            where = clean(f"the {other.finding.where.split} data")
            yield from wrapped(f"the same in {where}", "dim", 4, width)
        else:  # of one fault in both splits, the first is enough
            told.setdefault(other.rule.code, clean(other.finding.message))
    if told:
        texts = " · ".join(f"{code} {message}" for code, message in told.items())
        yield from wrapped(f"because of this: {texts}", "dim", 2, width)


def place(report: Report, where: Location, width: int) -> Iterator[Line]:
    """Yield the line of the user's that is spoken of, and the rows."""
    if where.file is not None and where.line is not None:
        same = os.path.abspath(where.file) == os.path.abspath(report.target)
        line = str(where.line) if same else f"{where.file}:{where.line}"
        source = _around(clean(where.source or ""), where.key, width - len(line) - 8)
        yield [(f"    {clean(line)} │ ", "dim"), (source, "")]
        if where.key is not None and where.origin is not None:  # it does not stand on that line
            told = f"{where.key}: {where.origin}"
            yield from wrapped(told, "dim", len(line) + 7, width)
    elif where.key is not None and where.origin is not None:
        yield [(f"    {clean(where.key)}", ""), (f" ({clean(where.origin)})", "dim")]
    parts = []
    if where.column is not None:
        parts.append(f"column {where.column!r}")
    if where.layer is not None:
        parts.append(f"layer {where.layer}")
    if where.rows:
        parts.append(
            f"row{'s' if len(where.rows) > 1 else ''} {', '.join(map(str, where.rows[:3]))}"
        )
    if parts and where.split is not None:
        parts.insert(0, f"{where.split} data")
    if where.training is not None:
        parts.append(f"training {where.training} of the script")
    if parts:
        yield from wrapped(clean(", ".join(parts)), "dim", 4, width)


def _around(source: str, key: str | None, length: int) -> str:
    """Return a line of the user's, cut to a length so that the key can be seen."""
    begin = source.find(key) if key else 0
    if len(source) <= length or begin + len(key or "") < length // 2:
        return clip(source, length)
    return clip("…" + source[max(0, begin - length // 3) :], length)


def _labelled(label: str, text: str, width: int, option: str = "") -> Iterator[Line]:
    wrapped = textwrap.wrap(clean(text), max(20, width - 7), break_on_hyphens=False) or [""]
    if option and len(wrapped[-1]) + len(option) > width - 7:
        wrapped.append("")
        option = option.lstrip()
    for number, line in enumerate(wrapped):
        head = (f"  {label:<3}  ", "green") if not number else ("       ", "")
        yield [head, (line, ""), (option if number == len(wrapped) - 1 else "", "dim")]


def crash(outcome: Outcome, width: int) -> Iterator[Line]:
    """Yield the lines about a check that crashed."""
    last = outcome.reason.strip().splitlines()[-1]
    text = (
        f"{outcome.rule.code} {outcome.rule.name} crashed, a bug in the check, not in your "
        f"pipeline: {clean(last)}"
    )
    yield from wrapped(text, "magenta", 0, width)


def wrapped(text: str, style: str, indent: int, width: int) -> Iterator[Line]:
    """Yield the lines of a text, indented."""
    told = textwrap.wrap(clean(text), max(20, width - indent), break_on_hyphens=False) or [""]
    yield from ([(" " * indent + line, style)] for line in told)


def clean(text: str) -> str:
    """Return text of the user's without what would steer the terminal, or turn its words round."""
    return _STEERING.sub(lambda match: ascii(match[0])[1:-1], text)


def clip(text: str, length: int) -> str:
    """Return text cut to a length, with a sign that it was cut."""
    return text if len(text) <= length else text[: max(0, length - 1)] + "…"

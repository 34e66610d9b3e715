"""
Whether one batch can be learned, for people: `pipedoctor overfit`.

All is drawn from the figures of the fact `Overfit`, which a child process has sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from typing import Any, TextIO

from pipedoctor.facts.overfit import INCONCLUSIVE
from pipedoctor.failures import of_one_line
from pipedoctor.report import Report, Status, every
from pipedoctor.reporters import layout, learnability, text
from pipedoctor.reporters.layout import Line, clean, wrapped
from pipedoctor.reporters.plan_charts import BLOCKS
from pipedoctor.units import plural, rate

Figures = Mapping[str, Any]

WIDEST = text.WIDEST

CODE = "LOS003"
"""The check whose finding is the story that is told here at length."""

UNBOUNDED = "how low this loss can get is not known: it is none of the usual ones"

COLUMNS = 40
"""A curve is not wider than this."""


def plain(report: Report, width: int = 100) -> str:
    """Return the report as text without colour."""
    return text.joined(lines(report, width))


def write(report: Report, stream: TextIO, *, colour: bool, width: int) -> None:
    """Print the report, in colour if so wished."""
    text.write_lines(lines(report, width), stream, colour=colour, width=width)


def figures(report: Report) -> dict[str, Any]:
    """Return what is shown, as the JSON report has it."""
    told = dict(next(iter(report.figures.get("Overfit", ())), {}))
    beyond = report.figures.get("Learnability")
    return {**told, "learnability": beyond[0]} if beyond else told


def lines(report: Report, width: int = 100) -> Iterator[Line]:
    """Yield the lines of the report for a page of this width; the last one is the verdict."""
    told = figures(report)
    yield from wrapped(clean(" · ".join((report.target, *report.subject))), "bold", 0, width)
    yield []
    if "verdict" in told:
        yield from _batch(told, width)
        yield []
        yield from _curves(told, width)
        yield []
        for reason in told["reasons"]:
            yield from _reason(report, reason, width)
            yield []
    beyond = next(iter(report.figures.get("Learnability", ())), None)
    if beyond is not None:
        yield from learnability.lines(beyond, width)
        yield []
    known = {CODE, *(reason["code"] for reason in told.get("reasons", ()))}
    for entry in report.entries:
        if entry.rule.code not in known or "verdict" not in told:
            yield from layout.finding(report, entry, width)
            yield []
    for outcome in report.outcomes:
        if outcome.status is Status.CRASHED:
            yield from layout.crash(outcome, width)
            yield []
    for note in told.get("notes", ()):
        yield from wrapped(f"· {clean(note)}", "dim", 0, width)
    for problem in report.problems:
        yield from wrapped(f"pipedoctor: {problem}", "yellow", 0, width)
    style = "bold green" if told.get("learns") else "bold"
    yield from wrapped(_verdict(told, report.cut), style, 0, width)


def _batch(told: Figures, width: int) -> Iterator[Line]:
    """Yield what is trained on, and how low its loss can get."""
    rows = told["rows"]
    few = ", ".join(f"{row:,}" for row in rows[:16]) + (" …" if len(rows) > 16 else "")
    what = f"{plural(len(rows), 'row')} of the training data: {few}"
    if told["classes"] is not None:
        held, there = told["classes"]
        what += f"; they hold {'all ' if held == there else f'{held} of '}{there} labels"
    yield from wrapped(what, "", 0, width)
    known = told["floor"] is not None
    bounds = [f"a loss of {_short(told['floor'])} is possible" if known else UNBOUNDED]
    bounds += [f"{_short(value)} of it for {why}" for why, value in told["floor_parts"].items()]
    if told["chance"] is not None:
        bounds.append(f"the best constant answer has {_short(told['chance'])}")
    if told["ignored"]:
        bounds.append(f"{told['ignored']:.0%} of the labels are -100")
    yield from wrapped(" · ".join(bounds), "dim", 0, width)


def _curves(told: Figures, width: int) -> Iterator[Line]:
    curves = told["curves"]
    every = [_number(loss) for curve in curves for loss in curve["losses"]]
    finite = [loss for loss in every if isfinite(loss)]
    low, high = min(finite, default=0.0), max(finite, default=1.0)
    low = min(low, 0.9 * high) if high > 0 else low  # what hardly moves is drawn as hardly moving
    first = _number(curves[0]["losses"][0])
    if isfinite(first):  # a curve that explodes would press all others flat
        high = min(high, max(2 * first - low, first))
    for curve in curves:
        losses = [_number(loss) for loss in curve["losses"]]
        who = "yours" if curve["own"] else "tried"
        name = f"{who}  {curve['optimizer']} {rate(curve['rate'])}"
        drawn = sparkline(losses[: min(COLUMNS, max(10, width - 60))], low, high)
        ends = f"{_short(losses[0])} → {_short(losses[-1])}"
        made = plural(len(losses) - 1, "update")
        style = "green" if curve["reached"] else "red" if curve["diverged"] else "yellow"
        yield [(f"{name:<26} ", ""), (drawn, style), (f"  {ends} in {made}", "")]


def sparkline(losses: Sequence[float], low: float, high: float) -> str:
    """Return one block a loss, as high as it is between two bounds; ! is no number, ^ beyond."""
    span = max(high - low, 1e-12)
    drawn = ""
    for loss in losses:
        if not isfinite(loss):
            drawn += "!"
        elif loss > high + 1e-9 * span:
            drawn += "^"
        else:
            drawn += BLOCKS[max(1, min(8, round((loss - low) / span * 8)))]
    return drawn


def _reason(report: Report, reason: Figures, width: int) -> Iterator[Line]:
    """Yield a reason; where the finding of its check knows the line of the user's, that too."""
    code = f"{reason['code']} " if reason["code"] else ""
    yield from wrapped(f"✗ {code}{reason['kind']}", "bold red", 0, width)
    message = clean(reason["message"])
    yield from wrapped(f"{message[:1].upper()}{message[1:]}.", "", 2, width)
    for entry in every(report.entries):
        if entry.rule.code == reason["code"]:
            yield from layout.place(report, entry.finding.where, width)
    for number, line in enumerate(wrapped(clean(reason["remedy"]), "", 0, width - 7)):
        yield [("  fix  " if not number else "       ", "green"), *line]


def _verdict(told: Figures, cut: str) -> str:
    if "verdict" not in told and cut:
        return f"Could not tell: {cut}"
    if "verdict" not in told:
        reason = told.get("unavailable", "nothing was measured")
        return f"Nothing is proved: {clean(of_one_line(str(reason)))}"
    verdict = str(told["verdict"])
    words = [f"{verdict[:1].upper()}{verdict[1:]}"]
    if told["cut"] and verdict == INCONCLUSIVE:
        words = [f"Could not tell: {told['cut']}"]
    own = next((curve for curve in told["curves"] if curve["own"]), None)
    needed = _number(told["needed"]) if told["needed"] is not None else float("inf")
    if own is not None and told["learns"] and not own["reached"] and isfinite(needed):
        many = f"{max(1, round(needed)):,}"
        words.append(f"about {many} steps for this batch at your rate of {rate(own['rate'])}")
    words.append(plural(told["steps"], "update") + " made")
    if told["restored"]:
        words.append(f"all put back, SHA-256 {told['digest'][:12]} as before")
    elif told["restored"] is False:
        words.append("not all could be put back: the digest of model and optimizer differs")
    return " · ".join(words)


def _number(value: Any) -> float:
    return float(value)


def _short(loss: float) -> str:
    return "0" if abs(loss) < 1e-6 else f"{loss:.3g}"

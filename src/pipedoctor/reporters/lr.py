"""
Which learning rates work, for people: `pipedoctor lr`.

All is drawn from the figures of the facts `UsualRates` and `RangeTest`, which a child process has
sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import floor, log10
from typing import Any, TextIO

from pipedoctor.facts.range_test import FOUND, HIGH, LOW, TOO_HIGH, TOO_LOW, WITHIN
from pipedoctor.failures import of_one_line
from pipedoctor.one_rate import advised
from pipedoctor.report import Report, Status
from pipedoctor.reporters import layout, rates_chart, text
from pipedoctor.reporters.layout import Line, clean, wrapped
from pipedoctor.units import count, plural, rate

Figures = Mapping[str, Any]

WIDEST = text.WIDEST


def plain(report: Report, width: int = 100) -> str:
    """Return the report as text without colour."""
    return text.joined(lines(report, width))


def write(report: Report, stream: TextIO, *, colour: bool, width: int) -> None:
    """Print the report, in colour if so wished."""
    text.write_lines(lines(report, width), stream, colour=colour, width=width)


def figures(report: Report) -> dict[str, Any]:
    """Return what is shown, as the JSON report has it."""
    told, usual = _of(report, "RangeTest"), _of(report, "UsualRates")
    return {**told, "advised": advised(told, usual), "usual": usual}


def _of(report: Report, name: str) -> dict[str, Any]:
    return dict(next(iter(report.figures.get(name, ())), {}))


def lines(report: Report, width: int = 100) -> Iterator[Line]:
    """Yield the lines of the report for a page of this width; the last one is the verdict."""
    told, usual = _of(report, "RangeTest"), _of(report, "UsualRates")
    yield from wrapped(clean(" · ".join((report.target, *report.subject))), "bold", 0, width)
    yield []
    if usual:
        yield from wrapped(_usual(usual), "", 0, width)
    if "outcome" in told:
        yield from wrapped(_made(told), "", 0, width)
        yield []
        if told["points"]:
            yield from rates_chart.lines(told, width)
            yield []
        yield from _own(told, advised(told, usual), width)
        yield []
    for entry in report.entries:
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
    yield from wrapped(
        _verdict(told, advised(told, usual), report.cut),
        "bold green" if told.get("works") else "bold",
        0,
        width,
    )


def _usual(usual: Figures) -> str:
    if "low" not in usual:
        return f"Usual: {clean(str(usual.get('unavailable', 'not known')))}"
    what = (
        f"Usual: {rate(usual['low'])} to {rate(usual['high'])}, {rate(usual['first'])} to begin "
        f"with, for {usual['method']} of {usual['kind']} with {usual['optimizer']}"
    )
    if usual["scaled"] != 1:
        what += f", times {usual['scaled']:.2g} for {count(usual['batch'])} rows an update"
    return f"{what} ({usual['source']})"


def _made(told: Figures) -> str:
    number = told["batches"]
    different = f"{count(number)} batch{'' if number == 1 else 'es'} of the training data"
    what = f"Tried: {told['optimizer']} on {different}"
    if told["batch_rows"]:
        what += f", {plural(told['batch_rows'], 'row')} an update"
    if told["start"] is not None:
        what += f"; their loss is {told['start']:.4g} before any"
    return what


def _own(told: Figures, advice: float | None, width: int) -> Iterator[Line]:
    """Yield what is to be said of the user's own rate, and what to do about it."""
    if told["outcome"] != FOUND:
        why = clean(told["why"])
        yield from wrapped(f"✗ No rate can be told: {why}.", "bold", 0, width)
        yield from _fix(told["advice"], width)
        return
    mine = f"Yours, {rate(told['rate'])}"
    if told["by_name"]:
        mine += f" (nobody stated it: it is what Keras gives {told['by_name']} by default)"
    proved = told["judged"] in {TOO_HIGH, TOO_LOW}
    said = f"{'✗ ' if proved else ''}{mine}, {_said(told)}"
    why = f": {clean(told['evidence'])}" if told["evidence"] else ""
    yield from wrapped(f"{said}{why}.", "bold red" if proved else "", 0, width)
    if proved:
        yield from _fix(f"set the learning rate to {rate(advice)}", width)


def _said(told: Figures) -> str:
    times = told["times"]
    factor = "" if times is None else f"at least {_factor(float(times))} times "
    return {
        WITHIN: "is among the rates that work",
        TOO_HIGH: f"is {factor}too high",
        TOO_LOW: f"is {factor}too low for this run",
        HIGH: "is above the rates that work; that it is a fault is not proved",
        LOW: "is below the rates that work within these few steps",
    }.get(told["judged"], "is not judged")


def _factor(times: float) -> str:
    """Return a factor rounded down to a digit: what is said is at least that."""
    if times > 100_000:
        return "100,000"
    power = 10 ** floor(log10(max(times, 1.0)))
    return count(floor(times / power) * power)


def _fix(remedy: str, width: int) -> Iterator[Line]:
    for number, line in enumerate(wrapped(clean(remedy), "", 0, width - 7)):
        yield [("  fix  " if not number else "       ", "green"), *line]


def _verdict(told: Figures, advice: float | None, cut: str) -> str:
    if "outcome" not in told and cut:
        return f"Could not tell: {cut}"
    if "outcome" not in told:
        reason = told.get("unavailable", "nothing was measured")
        return f"Nothing is proved: {clean(of_one_line(str(reason)))}"
    words = ["Inconclusive: no suggestion"]
    if told["cut"]:
        words = [f"Could not tell: {told['cut']}"]
    if told["outcome"] == FOUND:
        words = [f"Try {rate(advice)} first, confidence {told['confidence']}"]
        if advice != told["suggestion"]:
            got = f"in a few updates {rate(told['suggestion'])} got furthest"
            words = [f"Try {rate(advice)} first, which is usual; {got}, confidence low"]
        if told["doubts"]:
            words[0] += f" ({'; '.join(told['doubts'])})"
        words.append(f"{rate(told['low'])} to {rate(told['high'])} work")
    if told["diverges"] is not None:
        words.append(f"diverges from {rate(told['diverges'])} on")
    words.append(plural(told["steps"], "step"))
    if told["restored"]:
        words.append(f"all put back, SHA-256 {told['digest'][:12]} as before")
    elif told["restored"] is False:
        words.append("not all could be put back: the digest of model and optimizer differs")
    return " · ".join(words)

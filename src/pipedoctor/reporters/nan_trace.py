"""
Where NaN is born, for people: `pipedoctor nan-trace`.

All is drawn from the figures of the fact `Trace`, which a child process has sent.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, TextIO

from pipedoctor.failures import of_one_line
from pipedoctor.report import Report, Status
from pipedoctor.reporters import layout, text
from pipedoctor.reporters.layout import Line, clean, wrapped
from pipedoctor.units import plural

Figures = Mapping[str, Any]

WIDEST = text.WIDEST

CODE = "NUM020"
"""The check whose finding is the story that is told here at length."""

PHASES = {
    "data": "in the data",
    "weights": "in the weights",
    "forward": "in the forward pass",
    "backward": "in the backward pass",
    "optimizer": "in the optimizer's step",
}


def plain(report: Report, width: int = 100) -> str:
    """Return the report as text without colour."""
    return text.joined(lines(report, width))


def write(report: Report, stream: TextIO, *, colour: bool, width: int) -> None:
    """Print the report, in colour if so wished."""
    text.write_lines(lines(report, width), stream, colour=colour, width=width)


def figures(report: Report) -> dict[str, Any]:
    """Return what is shown, as the JSON report has it."""
    return dict(next(iter(report.figures.get("Trace", ())), {}))


def lines(report: Report, width: int = 100, verdict: str | None = None) -> Iterator[Line]:
    """Yield the lines of the report for a page of this width; the last one is the verdict."""
    told = figures(report)
    yield from wrapped(" · ".join((report.target, *report.subject)), "bold", 0, width)
    yield []
    if told.get("origin"):
        yield from _story(told, width)
    for entry in report.entries:
        if entry.rule.code != CODE or not told.get("origin"):
            yield from layout.finding(report, entry, width)
            yield []
    for outcome in report.outcomes:
        if outcome.status is Status.CRASHED:
            yield from layout.crash(outcome, width)
            yield []
    for note in told.get("notes", ()):
        yield from wrapped(f"· {note}", "dim", 0, width)
    for problem in report.problems:
        yield from wrapped(f"pipedoctor: {problem}", "yellow", 0, width)
    style = "bold green" if told.get("finite") else "bold"
    yield from wrapped(verdict or _verdict(told), style, 0, width)


def _story(told: Figures, width: int) -> Iterator[Line]:
    """Yield the births from the first to the one that is to blame, and what cures them."""
    births = [*told["causes"], told["origin"]]
    for number, birth in enumerate(births):
        last = number == len(births) - 1
        yield from _birth(birth, told["batch_rows"], width, blamed=last)
        yield []
    yield from _rows(told, width)
    root = next((birth for birth in births if not birth["intended"]), births[-1])
    origin = told["origin"]
    for birth in [origin] if root["intended"] or root == origin else [root]:
        if birth["why"]:
            yield from wrapped(clean(f"{birth['why']}."), "", 2, width)
        yield from _fix(birth["cure"], width)
    yield []


def _birth(birth: Figures, size: int, width: int, *, blamed: bool) -> Iterator[Line]:
    mark, style = ("✗ ", "bold red") if blamed else ("  ", "yellow")
    name = birth["operation"] or birth["name"]
    what = f"{mark}{birth['what']} {'is born' if birth['operation'] else 'stands'} in {name}"
    if birth["node"]:
        what += f" ({birth['node']})"
    if birth["operation"] and birth["name"]:
        what += f", which writes {birth['name']}"
    what += f", {PHASES[birth['when']]}"
    if birth["module"]:
        what += f", {birth['module']}"
    if birth["intended"]:
        what += ": a mask, meant to be there"
    yield from wrapped(clean(what), style, 0, width)
    yield from _place(birth["where"], width)
    if birth["library"]["file"] != birth["where"]["file"]:
        yield from _place(birth["library"], width)
    parts = [f"{birth['count']:,} of {birth['size']:,} values ({birth['dtype']})"]
    if birth["rows"] is not None and size:
        parts.insert(0, f"{len(birth['rows'])} of {plural(size, 'row')} of the batch")
    yield from wrapped("; ".join([", ".join(parts), *map(clean, birth["from"])]), "dim", 4, width)


def _place(where: Figures, width: int) -> Iterator[Line]:
    if where["file"] is None:
        return
    path = os.path.relpath(where["file"])
    path = path if not path.startswith("..") else where["file"]
    place = f"{path}:{where['line']}"
    source = layout.clip(clean(where["source"] or ""), max(20, width - 4 - len(place) - 3))
    yield [(f"    {clean(place)} │ ", "dim"), (source, "")]


def _rows(told: Figures, width: int) -> Iterator[Line]:
    """Yield which rows of the data it comes from, and when."""
    when = f"batch {told['batch']}" if told["step"] is None else f"step {told['step']}"
    rows = told["rows"]
    if rows:
        few = ", ".join(f"{row:,}" for row in rows[:8]) + (" …" if len(rows) > 8 else "")
        told_rows = f"row{'s' if len(rows) > 1 else ''} {few} of the training data"
        yield from wrapped(f"{when}: {told_rows}", "", 2, width)
    elif told["places"]:
        few = ", ".join(map(str, told["places"][:8]))
        word = "rows" if len(told["places"]) > 1 else "row"
        yield from wrapped(f"{when}: {word} {few} of the batch", "", 2, width)
    else:
        yield from wrapped(f"{when}", "", 2, width)
    for example in told["shows"]:
        yield [("    ", ""), (layout.clip(clean(example), width - 4), "italic")]


def _fix(cure: str, width: int) -> Iterator[Line]:
    for number, line in enumerate(wrapped(clean(cure), "", 0, width - 7)):
        yield [("  fix  " if not number else "       ", "green"), *line]


def _verdict(told: Figures) -> str:
    if not told or "unavailable" in told:
        reason = told.get("unavailable", "nothing was measured")
        return f"Nothing is proved: {clean(of_one_line(str(reason)))}"
    gone = [f"{told['batches']:,} batch{'' if told['batches'] == 1 else 'es'}"]
    if told["steps"]:
        gone.append(plural(told["steps"], "step"))
    if told["tokens"]:
        gone.append(plural(told["tokens"], "token"))
    through = ", ".join(gone)
    if told["finite"]:
        all_ = ", all of the training data" if told["complete"] else ""
        if told["there"] is not None and told["there"] > told["batches"]:
            all_ = f"; there are {told['there']:,}: --all looks at the rest, --steps N trains"
        return f"Finite: loss and gradients of {through}{all_}"
    if not told["reproduced"]:
        return f"Not finite, and not reproduced: batch {told['batch']}, after {through}"
    origin = told["origin"]
    return f"Not finite: {origin['what']} from {origin['operation'] or origin['name']}, after {through}"

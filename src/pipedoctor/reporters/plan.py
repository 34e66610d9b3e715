"""
A run laid out in time, for people: `pipedoctor plan`.

All is drawn from the figures of the fact `Timeline`, which a child process may have sent.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TextIO

from pipedoctor.facts.retention import Retention
from pipedoctor.facts.schedule import Marks
from pipedoctor.report import Report, Status
from pipedoctor.reporters import layout, plan_charts, text
from pipedoctor.reporters.layout import Line, clean, wrapped
from pipedoctor.reporters.plan_charts import LABEL, label, line
from pipedoctor.units import count, plural, size

Figures = Mapping[str, Any]

WIDEST = 120
"""Wider charts tell no more; sentences keep to `text.WIDEST`."""

HEIGHT = 4
"""The rows of a curve."""


def plain(report: Report, width: int = 100) -> str:
    """Return the report as text without colour."""
    return text.joined(lines(report, width))


def write(report: Report, stream: TextIO, *, colour: bool, width: int) -> None:
    """Print the report, in colour if so wished."""
    text.write_lines(lines(report, width), stream, colour=colour, width=width)


def figures(report: Report) -> dict[str, Any]:
    """Return what is shown, as the JSON report has it."""
    return dict(next(iter(report.figures.get("Timeline", ())), {}))


def lines(report: Report, width: int = 100) -> Iterator[Line]:
    """Yield the lines of the report for a page of this width."""
    prose = min(width, text.WIDEST)
    yield from wrapped(" · ".join((report.target, *report.subject)), "bold", 0, prose)
    yield []
    yield from _plan(report, figures(report), width)
    for entry in report.entries:
        yield from layout.finding(report, entry, prose)
        yield []
    for outcome in report.outcomes:
        if outcome.status is Status.CRASHED:
            yield from layout.crash(outcome, prose)
            yield []
    for problem in report.problems:
        yield from wrapped(f"pipedoctor: {problem}", "yellow", 0, prose)
    yield from wrapped(_verdict(report), "bold", 0, prose)


def _verdict(report: Report) -> str:
    """Return the last line; a run that can be laid out may still fail at its first batch."""
    if not report.ok():
        # What could not be asked here is asked by `pipedoctor check`.
        told = tuple(o for o in report.outcomes if o.status is not Status.SKIPPED)
        return layout.verdict(replace(report, outcomes=told))
    passed = plural(report.count(Status.PASSED), "check") + " of the schedule passed"
    return f"No finding: {passed}; data and model are left to `pipedoctor check`"


def _plan(report: Report, told: Figures, width: int) -> Iterator[Line]:
    prose = min(width, text.WIDEST)
    if "total_steps" not in told:
        reason = told.get("unavailable", "the process that was to tell it did not answer")
        hint = ""
        if report.target.endswith(".py"):
            hint = "; --depth model runs the script up to its training, and tells"
        yield from wrapped(f"The run can't be laid out: {reason}{hint}", "yellow", 0, prose)
        yield []
        return
    yield from wrapped(_sizes(told), "", 0, prose)
    yield []
    total = told["total_steps"]
    if total < 1:
        yield from wrapped("Nothing is trained, so nothing happens", "yellow", 0, prose)
        yield []
        return
    columns = width - LABEL
    yield from _charts(told, total, columns)
    yield []
    yield from _sentences(told, prose, columns)
    yield []
    yield from _firsts(told["firsts"], width)
    yield []


def _sizes(told: Figures) -> str:
    words = [plural(told["total_steps"], "optimizer step")]
    if told["epochs"] is not None:
        number = told["epochs"]
        name = "epoch" if number == 1 else "epochs"
        words.append(f"{number:.4g} {name} of {plural(told['steps_per_epoch'], 'step')}")
    if told["batch_size"] is not None:
        words.append(f"{plural(told['batch_size'], 'row')} a step")
    if told["resumed_at"]:
        words.append(f"resumed at step {count(told['resumed_at'])}, drawn from the beginning")
    return " · ".join(words)


def _charts(told: Figures, total: int, columns: int) -> Iterator[Line]:
    if told["steps_per_epoch"] is not None:
        drawn = plan_charts.epochs(told["steps_per_epoch"], total, columns)
        yield line("epochs", drawn, "dim")
    rate = told["learning_rate"]
    if rate.get("samples"):
        yield from _rate(rate, total, columns)
    if told["evaluations"].get("count"):
        marks = _marks(told["evaluations"])
        drawn = plan_charts.marks(marks, columns)
        yield line(plural(len(marks), "evaluation"), drawn, "cyan")
    if told["logs"].get("count"):
        marks = _marks(told["logs"])
        drawn = plan_charts.marks(marks, columns, lambda _step: "│")
        yield line(plural(len(marks), "log line"), drawn, "dim")
    if told["checkpoints"].get("count"):
        marks = _marks(told["checkpoints"])
        retention = _retention(told, marks)
        drawn = plan_charts.marks(marks, columns, lambda step: _kept(retention, step))
        yield line(plural(len(marks), "checkpoint"), drawn, "green")
        if retention is not None and "bytes_each" in told["disk"]:
            yield from _disk(told["disk"], retention, columns)
    yield [label("step"), (plan_charts.axis(total, columns), "dim")]


def _rate(rate: Figures, total: int, columns: int) -> Iterator[Line]:
    """Yield the curve of the learning rate, its highest value beside it."""
    steps = [step for step, _ in rate["samples"]]
    values = []
    for place in range(columns):
        first, last = plan_charts.steps(place, total, columns)
        near = max(0, bisect_right(steps, (first + last) // 2) - 1)
        values.append(rate["samples"][near][1])
    names = {0: f"rate {rate['highest']:.2g}"}
    for row, drawn in enumerate(plan_charts.curve(values, HEIGHT, rate["highest"])):
        yield line(names.get(row, ""), drawn, "magenta")


def _disk(disk: Figures, retention: Retention, columns: int) -> Iterator[Line]:
    """Yield what stands on the disk; where it is full the columns are red."""
    total, each, free = retention.written.total, disk["bytes_each"], disk.get("free")
    values = []
    for place in range(columns):
        first, last = plan_charts.steps(place, total, columns)
        before, after = retention.written.until(first - 1), retention.written.until(last)
        # While the last one of a column is written there are more than afterwards.
        standing = retention.during(after) if after > before else retention.after(after)
        values.append(float(standing * each))
    top = max(values)
    full = disk.get("full_at")
    until = columns if full is None else plan_charts.column(full, total, columns)
    level = None if free is None or free >= top else int(free / top * HEIGHT)
    for row, drawn in enumerate(plan_charts.curve(values, HEIGHT, top)):
        name = f"disk {size(top)}" if row == 0 else ""
        if level == HEIGHT - 1 - row and free is not None:
            name = f"{size(free)} free" if row else name
            signs = drawn.replace(" ", "─")
        else:
            signs = drawn
        yield [label(name), (signs[:until], "green"), (signs[until:], "bold red")]


def _kept(retention: Retention | None, step: int) -> str:
    """Return the sign of a checkpoint: whether it is still there when the run has ended."""
    if retention is None or retention.limit is None:
        return "●"
    newest = retention.limit - retention.knows_best
    count = len(retention.written)
    return "●" if retention.written.until(step) > count - newest else "○"


def _sentences(told: Figures, width: int, columns: int) -> Iterator[Line]:
    """Yield in words what the charts can't show, and why some are lacking."""
    yield from _about("learning rate", told["learning_rate"], _rate_in_words, width)
    for name in ("evaluations", "checkpoints", "logs"):
        entry = told[name]
        if "unavailable" in entry:
            yield from wrapped(f"{name}: {entry['unavailable']}", "yellow", 0, width)
        elif not entry["count"]:
            yield from wrapped(f"no {'log lines' if name == 'logs' else name}", "", 0, width)
    if told["checkpoints"].get("count") or "unavailable" in told["checkpoints"]:
        disk = dict(told["disk"])
        disk["signs"] = disk.get("written", 0) <= columns  # else none is drawn by itself
        if disk.get("unavailable") == told["checkpoints"].get("unavailable"):
            disk = {name: value for name, value in disk.items() if name != "unavailable"}
        yield from _about("disk", disk, _disk_in_words, width)


def _about(name: str, entry: Figures, tell: Any, width: int) -> Iterator[Line]:
    for sentence, style in tell(entry):
        yield from wrapped(sentence, style, 0, width)
    if "unavailable" in entry:
        yield from wrapped(f"{name}: {entry['unavailable']}", "yellow", 0, width)


def _rate_in_words(rate: Figures) -> Iterator[tuple[str, str]]:
    if "highest" not in rate:
        return
    told = f"learning rate: {rate['scheduler']}, highest {rate['highest']:.3g}"
    told += f" at step {count(rate['highest_at'])}"
    if rate["warmup_steps"]:
        place = "after" if rate["highest_at"] > rate["warmup_steps"] else "within"
        told += f" {place} {plural(rate['warmup_steps'], 'step')} of warm-up"
    yield f"{told}, {rate['last']:.3g} at the last step", ""


def _disk_in_words(disk: Figures) -> Iterator[tuple[str, str]]:
    if "peak" in disk:
        told = f"checkpoints: {count(disk['written'])} written"
        told += f" of {size(disk['bytes_each'])}" if "bytes_each" in disk else ""
        told += f", at most {count(disk['peak'])} at a time"
        told += f" ({size(disk['peak_bytes'])})" if "peak_bytes" in disk else ""
        told += f", {count(disk['kept'])} left at the end"
        if disk["limit"] is not None:
            best = ", the best and the newest" if disk["knows_best"] else ", the newest"
            told += f" (save_total_limit {disk['limit']}{best})"
            if disk["written"] > disk["kept"] and disk["signs"]:
                spared = ", but for the best one" if disk["knows_best"] else ""
                told += f"; those with ○ are deleted{spared}"
        yield told, ""
    elif "bytes_each" in disk:
        yield f"checkpoints: {size(disk['bytes_each'])} each", ""
    if "free" not in disk:
        return
    told = f"disk of {clean(disk['path'])}: {size(disk['free'])} free"
    if "total" in disk:
        told += f" of {size(disk['total'])}"
    if disk.get("full_at") is not None:
        yield f"{told}; full at step {count(disk['full_at'])}", "bold red"
    elif "peak_bytes" in disk:
        yield f"{told}, {size(disk['free'] - disk['peak_bytes'])} of it still at the peak", ""
    else:
        yield told, ""


def _firsts(firsts: Sequence[Figures], width: int) -> Iterator[Line]:
    """Yield the table of when each thing happens first, as many columns as there is room for."""
    rows = [("", "step", "epoch", "of the run")]
    rows += [
        (
            entry["what"],
            count(entry["step"]),
            "" if entry["epoch"] is None else f"{entry['epoch']:.2f}",
            "" if entry["share"] is None else f"{entry['share']:.1%}",
        )
        for entry in firsts
    ]
    widths = [max(len(row[place]) for row in rows) for place in range(4)]
    shown = 4
    while shown > 2 and sum(widths[:shown]) + 2 * (shown - 1) > width:
        shown -= 1
    for number, row in enumerate(rows):
        cells = [f"{row[0]:<{widths[0]}}"]
        cells += [f"{row[place]:>{widths[place]}}" for place in range(1, shown)]
        yield [("  ".join(cells)[:width], "" if number else "dim")]


def _marks(entry: Figures) -> Marks:
    names = ("every", "total", "last", "start", "also_first")
    return Marks(**{name: entry[name] for name in names})


def _retention(told: Figures, marks: Marks) -> Retention | None:
    disk = told["disk"]
    if "limit" not in disk:
        return None
    return Retention(marks, disk["limit"], disk["knows_best"])

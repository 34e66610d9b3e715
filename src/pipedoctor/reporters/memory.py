"""
What a training takes in memory, for people: `pipedoctor memory`.

All is drawn from the figures of the fact `MemoryPlan`, which a child process has sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TextIO

from pipedoctor.report import Report, Status
from pipedoctor.reporters import layout, text
from pipedoctor.reporters.layout import Line, clean, wrapped
from pipedoctor.reporters.memory_verdict import Figures, verdict
from pipedoctor.units import count, gib, millions, plural

WIDEST = 120

NAMES = {
    "weights": "weights",
    "buffers": "buffers",
    "gradients": "gradients",
    "states": "optimizer states",
    "inputs": "batch",
    "activations": "activations",
    "logits": "logits",
    "casts": "copies in half precision",
    "temporary": "temporary",
    "assigned": "assigned by XLA",
}
LABEL = 26
BAR = "█"


def plain(report: Report, width: int = 100) -> str:
    """Return the report as text without colour."""
    return text.joined(lines(report, width))


def write(report: Report, stream: TextIO, *, colour: bool, width: int) -> None:
    """Print the report, in colour if so wished."""
    text.write_lines(lines(report, width), stream, colour=colour, width=width)


def figures(report: Report) -> dict[str, Any]:
    """Return what is shown, as the JSON report has it."""
    told = dict(next(iter(report.figures.get("MemoryPlan", ())), {}))
    ran: Figures = next(iter(report.figures.get("LiveSteps", ())), {})
    return {**told, "live": ran} if "steps" in ran else told


def lines(report: Report, width: int = 100) -> Iterator[Line]:
    """Yield the lines of the report for a page of this width; the last one is the verdict."""
    told = figures(report)
    prose = min(width, text.WIDEST)
    yield from wrapped(" · ".join((report.target, *report.subject)), "bold", 0, prose)
    yield []
    if "parts" in told:
        yield from _plan(told, width)
    yield from _live(report, prose)
    for entry in report.entries:
        yield from layout.finding(report, entry, prose)
        yield []
    for outcome in report.outcomes:
        if outcome.status is Status.CRASHED:
            yield from layout.crash(outcome, prose)
            yield []
    for note in told.get("notes", ()):
        yield from wrapped(clean(f"· {note}"), "dim", 0, prose)
    for problem in report.problems:
        if problem == told.get("unavailable"):
            continue  # the verdict says it
        yield from wrapped(f"pipedoctor: {problem}", "yellow", 0, prose)
    yield from wrapped(*verdict(told, report), 0, prose)


def _plan(told: Figures, width: int) -> Iterator[Line]:
    prose = min(width, text.WIDEST)
    yield from wrapped(_subject(told), "", 0, prose)
    yield []
    yield from _table(told, width)
    yield []
    if told["held"]:
        yield [("At the peak, the largest are", "bold")]
        for held in told["held"]:
            yield from _held(held, width)
        yield []
    for sentence in _batches(told):
        yield from wrapped(sentence, "", 0, prose)
    yield []
    if told["remedies"]:
        yield from _remedies(told, width)
        yield []


def _live(report: Report, width: int) -> Iterator[Line]:
    """Yield what real steps on the device that is here took, where they were asked for."""
    ran: Figures = next(iter(report.figures.get("LiveSteps", ())), {})
    if "steps" not in ran:
        if "unavailable" in ran:
            told = clean(f"Nothing was run: {ran['unavailable']}")
            yield from wrapped(told, "", 0, width)
            yield []
        return
    pieces = ""
    if ran.get("split") is not None and ran["reserved"]:
        pieces = f"; {gib(ran['split'])} of it lie in pieces that can't be given back"
    yield from wrapped(
        f"Run on {clean(ran['device'])}: {plural(ran['steps'], 'step')} with "
        f"{plural(ran['rows'], 'row')} took {gib(ran['allocated'])} at their peak, "
        f"{gib(ran['reserved'])} were held{pieces}; {gib(ran['free'])} of {gib(ran['total'])} "
        "were free before",
        "",
        0,
        width,
    )
    if ran.get("largest") is not None:
        sure = "one row more did not" if ran["certain"] else "no more were tried"
        yield from wrapped(
            f"The largest batch that ran has {plural(ran['largest'], 'row')} ({sure}; "
            f"{count(len(ran['tried']))} were tried)",
            "",
            0,
            width,
        )
    for note in ran["notes"]:
        yield from wrapped(clean(f"· {note}"), "dim", 0, width)
    yield []


def _subject(told: Figures) -> str:
    size = millions(told["parameters"])
    trained = (
        ""
        if told["trainable"] == told["parameters"]
        else (f", of which {millions(told['trainable'])} are trained")
    )
    rows = plural(told["rows"], "row")
    length = told.get("length")
    each = f"{rows} of {count(length)} tokens" if length else rows
    where = " · as a GPU's kernels keep it" if told["device"] == "gpu" else " · on the CPU"
    return f"{told['name']} · {size} parameters{trained} · {each} · {told['optimizer']}{where}"


def _table(told: Figures, width: int) -> Iterator[Line]:
    total = told["total"]
    room = max(10, min(60, width - LABEL - 14))
    scale = max(total, told["room"] or 0) or 1
    for kind, name in NAMES.items():
        size = told["parts"].get(kind, 0)
        if size >= total / 1000:
            yield _row(name, size, BAR * round(room * size / scale), "cyan")
    small = sum(size for size in told["parts"].values() if size < total / 1000)
    if small:
        yield _row("the rest", small, "", "")
    yield _row("peak", told["peak"], f"in the {told['moment']}", "bold")
    if told["context"]:
        yield _row("CUDA context", told["context"], "stated, not measured", "dim")
    yield _row("margin", told["margin"], "5 % of the peak, for memory in pieces", "dim")
    yield _row("total", total, _of_room(told), "bold")
    if told.get("evaluation"):
        yield from _evaluated(told)
    if told["room"]:
        filled = min(room, round(room * total / scale))
        limit = min(room - 1, round(room * told["room"] / scale) - 1)
        bar = [BAR if place < filled else "░" for place in range(room)]
        style = "green" if told.get("step_fits", told["fits"]) else "red"
        bar[max(0, limit)] = "┃"
        yield [(" " * (LABEL + 12), ""), ("".join(bar), style)]


def _evaluated(told: Figures) -> Iterator[Line]:
    """Yield what an evaluation takes, which is no part of the total of a step."""
    beside = told["evaluation"]
    length = f" of {count(beside['length'])} tokens" if beside["length"] else ""
    parts = [f"{plural(beside['rows'], 'row')}{length}"]
    parts += [
        f"{name} {gib(beside[name])}"
        for name in ("logits", "kept")
        if beside[name] >= beside["total"] / 100
    ]
    yield _row("total of an evaluation", beside["total"], ", ".join(parts), "bold")


def _row(name: str, size: int, told: str, style: str) -> Line:
    return [
        (f"  {name:<{LABEL - 2}}", "bold" if style == "bold" else ""),
        (f"{gib(size):>10}  ", "bold" if style == "bold" else ""),
        (told, "" if style == "bold" else style),
    ]


def _of_room(told: Figures) -> str:
    if told["room"] is None:
        return ""
    name = f" ({told['gpu']})" if told["gpu"] else ""
    left = told["room"] - told["total"]
    rest = f"{gib(left)} to spare" if left >= 0 else f"{gib(-left)} too much"
    return f"of {gib(told['room'])}{name}: {rest}"


def _held(held: Figures, width: int) -> Iterator[Line]:
    shape = " x ".join(map(str, held["shape"])) or "one value"
    place = clean(held["module"]) or "the backward pass"
    said = f"{gib(held['bytes']):>12}  {held['operation']} in {place}, {shape}, {held['dtype']}"
    if held["kind"] != "activations":
        said += f" ({NAMES.get(held['kind'], held['kind'])})"
    yield [(layout.clip(said, width), "")]


def _batches(told: Figures) -> Iterator[str]:
    if told.get("batches"):
        each = (f"{rows} {gib(total)}" for rows, total in told["batches"].items())
        yield f"By rows: {', '.join(each)}"
    if told.get("largest") is not None and told["largest"] > 0:
        verified = told["verified"]
        said = "by its law, and not gone through"
        if verified:
            said = (
                f"gone through as well, for a peak of {gib(verified['traced'])} "
                f"({gib(verified['law'])} were expected)"
            )
        yield (
            f"The largest batch that fits has {plural(told['largest'], 'row')}: "
            f"{gib(told['largest_total'])}; {said}"
        )
    elif told.get("largest") == 0:
        yield "Not even one row fits"
    if told.get("fits_on"):
        each = (
            f"{name} {plural(rows, 'row') if rows else 'none'}"
            for name, rows in told["fits_on"].items()
        )
        yield f"Rows that fit, at most: {', '.join(each)}; --gpu NAME goes through the answer"
    if told.get("saving"):
        here = ""
        if told.get("free") is not None and told["free"] < told["saving"]:
            here = f"; this one has {gib(told['free'])} free"
        yield (
            f"While a checkpoint is written, its weights take {gib(told['saving'])} of the machine's "
            f"own memory{here}"
        )
    if told.get("usual_total"):
        yield (
            f"The first batch is padded to {count(told['usual_length'])} tokens only: "
            f"{gib(told['usual_total'])}; the longest rows come later"
        )


def _remedies(told: Figures, width: int) -> Iterator[Line]:
    stated = told["room"] is not None
    yield [("What would change it", "bold"), ("  (total, gain, and rows that fit at most)", "dim")]
    for one in told["remedies"]:
        rows = ""
        if stated and one["largest"] is not None:
            rows = plural(one["largest"], "row") if one["largest"] else "none fits"
        fits = told["room"] is not None and one["total"] <= told["room"] < told["total"]
        mark = "✓" if fits else " "
        figures_ = f"{gib(one['total']):>11} {'-' + gib(one['gain']):>12} {rows:>14}"
        yield [(f"{mark} ", "green"), (figures_, ""), (f"  {clean(one['change'])}", "bold")]
        yield from wrapped(f"{one['cost']} ({one['how']})", "dim", 43, width)

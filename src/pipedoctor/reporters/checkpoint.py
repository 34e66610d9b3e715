"""
What a training left, for people: `pipedoctor checkpoint`.

All is drawn from the figures of the facts `Checkpoint`, `Loading`, `RunFolder` and `SavedValues`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TextIO

from pipedoctor.report import Report, Status
from pipedoctor.reporters import layout, text
from pipedoctor.reporters.layout import Line, clean, clip, wrapped
from pipedoctor.units import count, millions, plural, size

Figures = Mapping[str, Any]

WIDEST = 120
"""Wider tables tell no more; sentences keep to `text.WIDEST`."""

KINDS = {
    "adapter": "PEFT adapter",
    "dcp": "distributed checkpoint of PyTorch",
    "deepspeed": "DeepSpeed checkpoint",
    "keras": "Keras model",
    "model": "model",
    "tensorflow": "TensorFlow model",
    "trainer": "checkpoint of a Trainer",
    "unknown": "files",
}

KEYS = {
    "Loading": "loading",
    "RunFolder": "run",
    "SavedValues": "values",
    "Converted": "converted",
}
"""The facts whose figures stand beside the inventory, and their keys in the JSON report."""

MOST_ROWS = 40
"""More files than this are counted; JSON has them all."""
MOST_METADATA = 8

STYLES = {"allowed": "green", "needs trust": "yellow", "unsafe": "bold red", "malformed": "red"}


def plain(report: Report, width: int = 100) -> str:
    """Return the report as text without colour."""
    return text.joined(lines(report, width))


def write(report: Report, stream: TextIO, *, colour: bool, width: int) -> None:
    """Print the report, in colour if so wished."""
    text.write_lines(lines(report, width), stream, colour=colour, width=width)


def figures(report: Report) -> dict[str, Any]:
    """Return what is shown, as the JSON report has it."""
    told = dict(_of(report, "Checkpoint"))
    for name, key in KEYS.items():
        if name in report.figures:
            told[key] = dict(_of(report, name))
    return told


def lines(report: Report, width: int = 100) -> Iterator[Line]:
    """Yield the lines of the report for a page of this width."""
    prose = min(width, text.WIDEST)
    told = _of(report, "Checkpoint")
    yield from wrapped(" · ".join((report.target, *_subject(told))), "bold", 0, prose)
    yield []
    run = _of(report, "RunFolder").get("saved", ())
    if run:
        yield from _run(run, width)
        yield []
    if told:
        if run and told.get("path"):
            inside = f"of these, {clean(os.path.basename(told['path']))}:"
            own = os.path.basename(told["path"]) not in {one["name"] for one in run}
            yield [("the model that was saved at the end:" if own else inside, "dim")]
        yield from _contents(told, width)
        yield from _values(_of(report, "SavedValues"), prose)
        yield from _loading(_of(report, "Loading"), prose)
        yield from _converted(_of(report, "Converted"), prose)
        yield []
    if "tensor_list" in told:
        yield from _tensors(told["tensor_list"], width)
        yield []
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


def _of(report: Report, fact: str) -> Figures:
    return next(iter(report.figures.get(fact, ())), {})


def _subject(told: Figures) -> Iterator[str]:
    if "kind" not in told:
        return
    if told["kind"] == "file":
        yield told["files"][0]["format"]
    else:
        step = f" at step {count(told['step'])}" if told["step"] is not None else ""
        yield f"{KINDS.get(told['kind'], told['kind'])}{step}"
    if told["architecture"]:
        yield told["architecture"]
    yield size(told["bytes"])


def _verdict(report: Report) -> str:
    """Return the last line; what a checkpoint of another kind would be asked is not told."""
    from dataclasses import replace

    told = tuple(o for o in report.outcomes if o.status is not Status.SKIPPED)
    return layout.verdict(replace(report, outcomes=told))


def _contents(told: Figures, width: int) -> Iterator[Line]:
    prose = min(width, text.WIDEST)
    if "unavailable" in told:
        yield from wrapped(f"It can't be shown: {told['unavailable']}", "yellow", 0, prose)
        return
    if told["kind"] == "file":
        yield from _single(told["files"][0], prose)
    else:
        yield from _files(told, width)
    if told["tensors"]:
        yield []
        yield from _weights(told, prose)


def _single(file: Figures, width: int) -> Iterator[Line]:
    """Yield what loading a lone file would run."""
    yield [("verdict  ", "dim"), *_judged(file)]
    if file["reason"]:
        yield from wrapped(file["reason"], "", 9, width)
    yield from _metadata(file, width)


def _judged(file: Figures) -> Line:
    """Return the verdict, and what it is decided by."""
    line = [(file["verdict"], STYLES.get(file["verdict"], ""))]
    if file["offender"]:
        place = f" at byte {count(file['offset'])}" if file["offset"] is not None else ""
        line.append((f" · {clean(file['offender'])}{place}", ""))
    elif file["flaws"]:
        line.append((f" · {clean(file['flaws'][0]['kind'])}", "red"))
    return line


def _files(told: Figures, width: int) -> Iterator[Line]:
    """Yield the table of files: name, bytes, format, verdict."""
    files = told["files"]
    shown = files[:MOST_ROWS]
    name = min(48, max((len(clean(f["name"])) for f in shown), default=0))
    kind = max((len(f["format"]) for f in shown), default=0)
    for file in shown:
        line = [(f"{clip(clean(file['name']), name):<{name}}", "")]
        line.append((f"  {size(file['bytes']):>8}  {clean(file['format']):<{kind}}  ", "dim"))
        yield _cut([*line, *_judged(file)], width)
    if len(files) > MOST_ROWS:
        yield [(f"and {count(len(files) - MOST_ROWS)} more files", "dim")]
    beside = told.get("beside", {})
    if beside:
        told_of = f"{plural(len(beside), 'other file')}, {size(sum(beside.values()))}"
        yield [(told_of, "dim")]
    if told["missing"]:
        yield from wrapped(f"missing: {', '.join(told['missing'])}", "red", 0, width)
    if "base" in told:
        yield from wrapped(f"base     {told['base']}", "", 0, width)


def _weights(told: Figures, width: int) -> Iterator[Line]:
    types = " · ".join(
        f"{dtype} {millions(number)}" if len(told["dtypes"]) > 1 else dtype
        for dtype, number in told["dtypes"].items()
    )
    number = millions(told["parameters"])
    yield from wrapped(
        f"weights  {number} parameters in {plural(told['tensors'], 'tensor')}, {types}",
        "",
        0,
        width,
    )
    for place, tensor in enumerate(told["largest"][:3]):
        label = "largest  " if not place else "         "
        yield _cut([(label, "dim"), (_one(tensor), "")], width)
    for names in told["shared"][:3]:
        yield from wrapped(f"shared   {' = '.join(names)}", "", 0, width)
    if len(told["shared"]) > 3:
        yield [(f"         and {len(told['shared']) - 3} more groups that share memory", "dim")]


def _one(tensor: Figures) -> str:
    shape = ", ".join(count(n) for n in tensor["shape"])
    room = f"  {size(tensor['bytes'])}" if tensor["bytes"] is not None else ""
    return f"{clean(tensor['name'])}  {tensor['dtype']} ({shape}){room}"


def _metadata(file: Figures, width: int) -> Iterator[Line]:
    told = list(file["metadata"].items())
    for place, (name, value) in enumerate(told[:MOST_METADATA]):
        label = "metadata " if not place else "         "
        yield _cut([(label, "dim"), (clip(clean(f"{name}: {value}"), width - 9), "")], width)
    if len(told) > MOST_METADATA:
        yield [(f"         and {len(told) - MOST_METADATA} more", "dim")]


def _values(told: Figures, width: int) -> Iterator[Line]:
    """Yield what reading every element gave, where that was done."""
    if "tensors" in told:
        every = [entry for tensors in told["odd"].values() for entry in tensors.values()]
        broken = sum(bool(entry["nan"] or entry["infinite"]) for entry in every)
        zeros = sum(entry["all_zero"] for entry in every)
        found = f"{broken} with NaN or infinity" if broken else "no NaN, no infinity"
        found += f", {zeros} of zeros only" if zeros else ""
        sentence = (
            f"elements of {plural(told['tensors'], 'tensor')} read ({size(told['bytes'])}): "
        )
        yield from wrapped(f"scanned  {sentence}{found}", "red" if broken else "", 0, width)


def _loading(told: Figures, width: int) -> Iterator[Line]:
    """Yield the calls that load it, then those that don't with what they raise."""
    if not told.get("ways") and not told.get("reason"):
        return
    yield []
    if told.get("reason"):
        yield from wrapped(f"not to be loaded: {told['reason']}", "yellow", 0, width)
    for way in told.get("ways", ()):
        label, style = ("not with ", "red") if way["error"] else ("load with", "green")
        yield [(f"{label}  ", style), (clean(way["code"]), "")]
        if way["error"] or way["note"]:
            yield from wrapped(way["error"] or way["note"], "dim", 11, width)


def _converted(told: Figures, width: int) -> Iterator[Line]:
    """Yield what was written, where that was asked for."""
    if "path" not in told:
        return
    yield []
    number = plural(told["tensors"], "tensor")
    sentence = (
        f"written    {told['path']}: {number}, {size(told['bytes'])}, read again and compared"
    )
    yield from wrapped(sentence, "green", 0, width)
    if told["prefix"]:
        left = f", {plural(told['left_out'], 'other tensor')} left out" if told["left_out"] else ""
        yield from wrapped(f"what stood under {told['prefix']!r}{left}", "dim", 11, width)
    for name, kept in list(told["tied"].items())[:3]:
        yield from wrapped(f"{name} is tied: {kept} stands for it", "dim", 11, width)


def _run(saved: Sequence[Figures], width: int) -> Iterator[Line]:
    """Yield the table of the checkpoints of a run."""
    name = max(10, *(len(clean(one["name"])) for one in saved))
    yield [(f"{'':<{name}}  {'step':>9}  {'size':>8}  a training can go on from it", "dim")]
    for one in saved:
        line = [(f"{clean(one['name']):<{name}}  {count(one['step']):>9}", "")]
        line.append((f"  {size(one['bytes']):>8}  ", ""))
        broken = one.get("broken") or ""
        line.append((f"no: {clean(broken)}" if broken else "yes", "red" if broken else "green"))
        if one.get("best"):
            line.append((" · the best", "bold"))
        yield _cut(line, width)


def _tensors(listed: Sequence[Figures], width: int) -> Iterator[Line]:
    for tensor in listed:
        yield _cut([(f"{clean(tensor['file'])}  ", "dim"), (_one(tensor), "")], max(width, 200))


def _cut(line: Line, width: int) -> Line:
    """Return a line cut to a width."""
    cut: Line = []
    left = width
    for piece, style in line:
        if left <= 0:
            break
        cut.append((clip(piece, left), style))
        left -= len(piece)
    return cut

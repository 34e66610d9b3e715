"""
What enters the model, as tables for people: `pipedoctor batch`.

All text of the user's data goes through `harmless`: it must not steer the terminal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TextIO

from pipedoctor.report import Report, Status
from pipedoctor.reporters import layout, text
from pipedoctor.reporters.batch_labels import distribution
from pipedoctor.reporters.batch_rows import of_sequences, of_tokens, table
from pipedoctor.reporters.batch_text import harmless, in_place, width_of
from pipedoctor.reporters.layout import Line, wrapped
from pipedoctor.units import count, plural

Split = Mapping[str, Any]

NAMES = {"train": "training data", "eval": "evaluation data"}

WIDEST = 200
"""A table may be as wide as this; sentences are hard to read in longer lines than `text.WIDEST`."""

SURE = 0.9
"""An untrained model often gives the same answer to all, but is not sure of it."""

MOST_ROWS = 8
"""So many rows of a batch are shown."""


def plain(report: Report, width: int = 100) -> str:
    """Return the report as text without colour."""
    return text.joined(lines(report, width))


def write(report: Report, stream: TextIO, *, colour: bool, width: int) -> None:
    """Print the report, in colour if so wished."""
    text.write_lines(lines(report, width), stream, colour=colour, width=width)


def figures(report: Report) -> dict[str, dict[str, Any]]:
    """Return what is shown, by split, as the JSON report has it."""
    told: dict[str, dict[str, Any]] = {}
    for entry in report.figures.get("Preview", ()):
        told[str(entry["split"])] = {k: v for k, v in entry.items() if k != "split"}
    for entry in report.figures.get("Predictions", ()):
        answers = {k: v for k, v in entry.items() if k != "split"}
        told.setdefault(str(entry["split"]), {})["predictions"] = answers
    return told


def lines(report: Report, width: int = 100) -> Iterator[Line]:
    """Yield the lines of the report for a page of this width."""
    for line in _lines(report, width):
        yield [(in_place(piece), style) for piece, style in line]


def _lines(report: Report, width: int) -> Iterator[Line]:
    prose = min(width, text.WIDEST)
    title = " · ".join((report.target, *report.subject))
    yield from wrapped(harmless(title), "bold", 0, width)
    yield []
    for name, split in figures(report).items():
        yield from _split(name, split, width)
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
    """Return the last line; that nothing is found here does not make a run ready to train."""
    if not report.ok():
        return layout.verdict(report)
    remarks = [r for split in figures(report).values() for r in split.get("remarks", ())]
    strikes = sum(bool(remark["strikes"]) for remark in remarks)
    deeper = "left to `pipedoctor check`"
    told = (replace(o, reason=deeper) if o.over is not None else o for o in report.outcomes)
    tail = layout.skipped(replace(report, outcomes=tuple(told)))
    passed = plural(report.count(Status.PASSED), "check") + " of data and labels passed"
    above = f" but {plural(strikes, 'remark')} (!) above" if strikes else ""
    return f"No finding{above}: {passed}{', ' + tail if tail else ''}"


def _split(name: str, split: Split, width: int) -> Iterator[Line]:
    title = NAMES.get(name, name)
    if split.get("rows") is not None:
        title += f" · {plural(split['rows'], 'row')}"
    yield [(title, "bold underline")]
    if "unavailable" in split:
        reason = harmless(str(split["unavailable"]))
        yield from wrapped(f"nothing can be shown: {reason}", "yellow", 2, width)
        yield []
        return
    yield from distribution(split.get("labels", {}), width)
    if split["note"]:
        yield from wrapped(harmless(split["note"]), "yellow", 2, width)
    answers = split.get("predictions", {})
    for place, group in enumerate(split["groups"]):
        given = answers.get("groups", [])
        yield []
        yield from _group(group, given[place] if place < len(given) else [], width)
    yield []
    for remark in split["remarks"]:
        mark, style = ("! ", "yellow") if remark["strikes"] else ("· ", "")
        yield from _pointed(mark, harmless(remark["text"]), style, width)
    yield from _answers(answers, split, width)
    if split["remarks"] or answers:
        yield []


def _group(group: Split, answers: Sequence[Any], width: int) -> Iterator[Line]:
    title = group["what"]
    if group.get("tokens"):
        title += f" · {group['padding'] / group['tokens']:.0%} of {count(group['tokens'])} tokens"
        title += " are padding"
    yield [(title, "bold")]
    yield from _arrays(group.get("arrays", {}), width)
    form = group.get("labels", {}).get("form", "row")
    shown = group["rows"][:MOST_ROWS]
    draw = {"token": of_tokens, "vocabulary": of_tokens, "sequence": of_sequences}.get(form, table)
    has_tokens = any("tokens" in row for row in shown)
    yield from (draw if has_tokens else table)(group, shown, answers, width)
    more = len(group["rows"]) - len(shown)
    if more:
        yield [(f"  … {plural(more, 'more row')}: --output-format json holds them", "dim")]


def _arrays(arrays: Split, width: int) -> Iterator[Line]:
    """Yield names, shapes and types, as many in a line as fit."""
    told = ""
    for name, array in arrays.items():
        word = f"{harmless(name)} {_shape(array['shape'])}{harmless(array['dtype'])}"
        if told and width_of(told) + width_of(word) + 5 > width:
            yield [(f"  {told}", "dim")]
            told = ""
        told += f" · {word}" if told else word
    if told:
        yield [(f"  {told}", "dim")]


def _shape(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape)) + " " if shape else ""


def _answers(answers: Split, split: Split, width: int) -> Iterator[Line]:
    """Yield what the answers have in common, the loss first."""
    if "unavailable" in answers:
        reason = harmless(str(answers["unavailable"]))
        yield from _pointed("· ", f"no answers of the model: {reason}", "", width)
        return
    if not answers:
        return
    titles = [group["what"] for group in split["groups"]]
    told = [
        f"{'not a number' if isinstance(loss, str) else f'{loss:.4g}'} ({title})"
        for title, loss in zip(titles, answers["losses"], strict=False)
        if loss is not None
    ]
    if told:
        yield from _pointed("· ", f"loss of the model as it stands: {', '.join(told)}", "", width)
    alike = any(remark["what"] == "same-inputs" for remark in split["remarks"])
    every = f"{answers['answers']:,} {answers['unit']}s"
    if answers.get("constant") and not alike:
        sentence = (
            f"the logits are the same for all {every}: the answer does not depend on the input"
        )
        yield from _pointed("! ", sentence, "yellow", width)
    elif answers.get("same"):
        yield from _same(answers, split, every, width)
    elif "classes" in answers:
        names = split["groups"][0]["labels"]["names"]
        counted = [f"{n:,} x {_class(k, names)}" for k, n in answers["classes"].items()]
        sentence = f"answers to {every}: {', '.join(counted[:8])}{' …' * (len(counted) > 8)}"
        yield from _pointed("· ", sentence, "", width)


def _same(answers: Split, split: Split, every: str, width: int) -> Iterator[Line]:
    """Yield that all answers are the same; of a model that starts from nothing, they often are."""
    only = _class(next(iter(answers["classes"])), split["groups"][0]["labels"]["names"])
    sentence = (
        f"all {every} get the same answer, {only}, with {answers['certainty']:.0%} on average; "
        f"their logits differ by {answers['spread']:.2g} at most"
    )
    if answers.get("untrained"):
        sentence += ". The head starts from random weights"
    sure = answers["certainty"] > SURE
    yield from _pointed("! " if sure else "· ", sentence, "yellow" if sure else "", width)


def _class(number: str, names: Mapping[str, str]) -> str:
    return harmless(names.get(number) or number)


def _pointed(mark: str, sentence: str, style: str, width: int) -> Iterator[Line]:
    """Yield a sentence behind a mark."""
    room = min(width, text.WIDEST) - 2
    first = True
    for line in wrapped(sentence, style, 0, room):
        yield [((mark if first else "  "), style), *line]
        first = False

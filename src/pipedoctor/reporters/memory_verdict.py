"""The last line of `pipedoctor memory`: whether it fits, or why that is not settled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipedoctor.facts.memory_plan import GENEROUS
from pipedoctor.finding import Severity
from pipedoctor.report import Report
from pipedoctor.reporters.layout import clean
from pipedoctor.units import gib, plural

Figures = Mapping[str, Any]

NOTHING = "nothing was given that tells the memory plan"
OWN_LOOP = (
    "no model was met that Trainer or Keras trains, and a loop of one's own is not gone through; "
    'name a function that returns {"model": …, "train_data": …} (module:function), or the folder '
    "of a model"
)

EVALUATES = "EVA"
"""The codes of findings about evaluations begin so."""


def verdict(told: Figures, report: Report) -> tuple[str, str]:
    """Return the last line and its style: it fits only if all does that is told."""
    if "parts" not in told:
        why = clean(str(told.get("unavailable", "nothing was measured")))
        why = OWN_LOOP if why == NOTHING else why
        return f"Nothing is planned: {why}", "bold"
    how = "" if told["traced"] else ", by formula only"
    whole = f"{gib(told['total'])} for {plural(told['rows'], 'row')}{how}"
    if told["fits"] is None:
        return f"It takes {whole}; --gpu or --memory tells whether that fits", "bold"
    name = told["gpu"] or gib(told["room"])
    if not told.get("settled", True):
        said = f"Whether it fits is not settled: {whole} on {name}, and {_unsettled(told)}"
        return said, "bold"
    beside, evaluated = told.get("evaluation"), ""
    if beside:
        evaluated = f", {gib(beside['total'])} to evaluate {plural(beside['rows'], 'row')}"
    if not told["fits"]:
        step = "a step takes " if told.get("step_fits") else ""
        return f"It does not fit: {step}{whole}{evaluated} on {name}", "bold red"
    said = f"{whole}{_range(told)}{evaluated} on {name}"
    if any(
        entry.severity is Severity.ERROR and entry.rule.code.startswith(EVALUATES)
        for entry in report.entries
    ):
        return f"A step fits, and what the evaluation keeps does not: {said}", "bold red"
    return f"It fits: {said}", "bold green"


def _range(told: Figures) -> str:
    """Return what an estimate can mean, where it is one."""
    can_mean = told.get("range")
    if can_mean is None:
        return f" (an estimate; {GENEROUS} times as much would fit)"
    if can_mean[1] > told["total"]:
        return f" (an estimate that can mean {gib(can_mean[0])} to {gib(can_mean[1])})"
    return ""


def _unsettled(told: Figures) -> str:
    can_mean = told.get("range")
    if told.get("shared"):
        return f"{clean(told['shared'])} shares it among processes, which is not in the table"
    if not told["traced"]:
        return "a formula for its activations is not sure enough"
    if told.get("uncounted"):
        return "what its loops keep is not in it"
    if can_mean and can_mean[0] < can_mean[1]:
        return f"the estimate can mean {gib(can_mean[0])} to {gib(can_mean[1])}"
    return "how far the estimate is off there is not known"

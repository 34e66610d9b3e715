"""
One learning rate to set, where several look for one: the table of what is usual, checks, and trials.

What was tried on the pipeline itself decides, as long as it is within ten times what is usual for
such a model: a few updates don't show what a rate does to what a model has learned before. What the
checks tell to set follows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pipedoctor.facts.range_test import FOUND
from pipedoctor.facts.settings import number as written
from pipedoctor.finding import Finding
from pipedoctor.fix import Edit, Fix
from pipedoctor.report import Report
from pipedoctor.usual_rates import beyond

CHECKS = frozenset({"HYP001", "HYP002", "HYP010", "HYP040"})
"""The checks whose remedy is another rate."""

KEY = "learning_rate"

NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.])")


def advised(test: Mapping[str, Any], usual: Mapping[str, Any]) -> float | None:
    """Return the rate to set, by the figures of `RangeTest` and `UsualRates`; None: none is known."""
    if test.get("outcome") != FOUND:
        return None
    suggestion = float(test["suggestion"])
    if "low" in usual and beyond(suggestion, float(usual["low"]), float(usual["high"])):
        return float(usual["first"])
    return suggestion


def agreeing(report: Report) -> Report:
    """Return the report of a range test with the rate that it comes to in each remedy."""
    test, usual = (next(iter(report.figures.get(n, ())), {}) for n in ("RangeTest", "UsualRates"))
    rate = advised(test, usual)
    if rate is None:
        return report
    outcomes = (
        replace(outcome, findings=tuple(_with(finding, rate) for finding in outcome.findings))
        if outcome.rule.code in CHECKS
        else outcome
        for outcome in report.outcomes
    )
    return replace(report, outcomes=tuple(outcomes))


def _with(finding: Finding, rate: float) -> Finding:
    """Return a finding whose remedy states this rate, and says where it is from."""
    numbers = list(NUMBER.finditer(finding.remedy))
    if not numbers:
        return finding
    last = numbers[-1]
    line = finding.remedy[: last.start()] + written(rate)
    remedy = f"{line}, the rate that the trials on this pipeline come to"
    return replace(
        finding, remedy=remedy, fix=None if finding.fix is None else _to(finding.fix, rate)
    )


def _to(fix: Fix, rate: float) -> Fix:
    edits = (
        Edit(edit.action, edit.key, rate, edit.name)
        if edit.action in {"set", "add"} and edit.key == KEY
        else edit
        for edit in fix.edits
    )
    return replace(fix, edits=tuple(edits))

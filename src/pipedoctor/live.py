"""Examining live objects, in the process that holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pipedoctor import examination, frameworks, registry
from pipedoctor.fact import Cost
from pipedoctor.failures import attribute
from pipedoctor.options import Options
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline, figures, summaries
from pipedoctor.report import Report

DEEPEST = Cost.BACKWARD
"""What is done to a live pipeline without being asked: nothing that would train it."""


def examine(trainer: Any = None, /, *, options: Options | None = None, **parts: Any) -> Report:
    """
    Examine a Trainer, a call of fit, or the parts of a pipeline, and leave them as they were.

        report = pipedoctor.examine(trainer)
        report = pipedoctor.examine(model, x=x, y=y, validation_split=0.1, epochs=5)
        report = pipedoctor.examine(model=model, train_data=data, settings={"learning_rate": 1e-4})
        assert report.ready, report

    With a compiled model of Keras, the arguments are those of its fit. Iterators that can be gone
    through only once are left alone.
    With `overfit={"steps": 50}`, one batch is trained on besides (`report.figures["Overfit"]`), with
    `range_test={}` learning rates are tried (`report.figures["RangeTest"]`), and everything is put
    back, after Ctrl-C too.

    `report.entries` are the findings, causes before consequences: `entry.rule.code`,
    `entry.severity`, `entry.finding.message`, `.remedy`, `.where` (file, line, rows counted from
    0), `.evidence` (plain numbers: sizes in bytes, times in seconds, losses and rates as the
    framework has them, shares from 0 to 1). `report.outcomes` has one of each check, with its
    status and, where it was skipped, the reason. `report.facts` is what was measured, a mapping
    each.

    Raises:
        TypeError: A part has a name that there is none of (see `pipedoctor.parts.NAMES`), or is
            an argument of fit, and the model is none that is fitted.

    """
    if trainer is not None:
        parts = {**frameworks.returned(trainer), **parts}
    name = type(trainer).__name__ if trainer is not None else ", ".join(parts)
    return examine_parts(name, parts, options or Options(depth=DEEPEST))


def examine_parts(name: str, parts: Mapping[str, Any], options: Options) -> Report:
    """
    Examine a pipeline of these parts under a name.

    Raises:
        TypeError: A part has a name that there is none of.

    """
    asked = {name: parts[name] for name in ("overfit", "range_test") if name in parts}
    if asked:
        options = replace(options, depth=Cost.TRAINING, stated={**options.stated, **asked})
    given, problems = Parts(frameworks.given(parts)), list[str]()
    pipeline = Pipeline(given, frameworks.probes(given, problems), options.depth)
    known = registry.load()
    rows = options.choose(known.rows)
    told = [outcome for _, outcome in examination.run_rows(rows, pipeline, options)]
    names = ["UsualRates", "RangeTest"] if "range_test" in parts else []
    if "overfit" in parts:
        names += (
            ["Overfit", "Learnability"] if (parts["overfit"] or {}).get("rows") else ["Overfit"]
        )
    shown = {name: tuple(entries) for name, entries in figures(pipeline, names).items()}
    facts: list[dict[str, Any]] = summaries(pipeline.measurements)
    outcomes = attribute(told, pipeline, rows)
    report = Report(
        target=name,
        outcomes=tuple(sorted(outcomes, key=lambda outcome: outcome.rule.code)),
        subject=examination.subject(facts),
        plan=examination.plan(facts),
        facts=tuple(facts),
        figures=shown,
        problems=(*known.problems, *problems, *pipeline.notes),
        severities=options.severities,
        preview=options.preview,
    )
    if "range_test" in parts:
        from pipedoctor.one_rate import agreeing

        report = agreeing(report)
    return examination.accepted(report, options, known)

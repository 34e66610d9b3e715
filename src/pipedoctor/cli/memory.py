"""`pipedoctor memory TARGET`: what a training takes in memory, and what would change that."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import replace
from typing import Any

from pipedoctor import registry
from pipedoctor.cli import CLEAN, UNSETTLED, reports
from pipedoctor.cli.progress import Progress
from pipedoctor.examination import Examination
from pipedoctor.options import Options, UsageError
from pipedoctor.parts import Parts
from pipedoctor.targets import Target, resolve

CHECKS = ("RUN", "MEM001", "MEM004", "MEM005", "MEM007", "EVA001", "CKP001", "NUM006", "VER012")
"""The checks that speak of what is shown."""

LARGEST_CONFIG = 1 << 22


def run(arguments: argparse.Namespace) -> int:
    """Show the plan; return 0 if it fits, or if nothing was said that it could fit into."""
    reports.refuse_overwriting(arguments)
    arguments.depth = "training" if arguments.live else "model"
    known = registry.load()
    target = _target(arguments)
    options = _of_this(reports.options(arguments, known), arguments, target)
    figures = ("MemoryPlan", "LiveSteps") if arguments.live else ("MemoryPlan",)
    with Progress(sys.stderr) as progress:
        report = Examination(target, known, options, progress, figures=figures).run()
    reports.publish(report, arguments, verb="memory")
    status = reports.status(arguments, options, report)
    told = next(iter(report.figures.get("MemoryPlan", ())), {})
    # What could not be told is not said to fit.
    unknown = not told or "unavailable" in told or told.get("settled") is False
    return UNSETTLED if status == CLEAN and unknown and not arguments.exit_zero else status


def _target(arguments: argparse.Namespace) -> Target:
    name = arguments.target
    config = os.path.join(name, "config.json") if os.path.isdir(name) else name
    why = _why_no_model(config) if config.endswith(".json") else ""
    if config.endswith(".json") and not why:
        return Target(name, Parts({}), ("model",), kind="blueprint")
    if os.path.isdir(name) and os.path.isfile(config):
        raise UsageError(f"{config} {why}, so no model can be built from it")
    target = resolve(name, arguments.arguments)
    if target.kind == "checkpoint":
        raise UsageError(
            f"{name} holds no config.json of a model, so nothing can be built from it"
        )
    if arguments.arguments_set:
        raise UsageError("--set is for the folder of a model; this target states its arguments")
    return target


def _why_no_model(path: str) -> str:
    """Return why a file is no config of a model, which its keys tell; empty if it is one."""
    try:
        with open(path, encoding="utf-8") as file:
            told = json.loads(file.read(LARGEST_CONFIG))
    except (OSError, ValueError, RecursionError) as error:
        return f"can't be read ({error})"
    if not isinstance(told, dict):
        return "holds no JSON object"
    if isinstance(told.get("model_type"), str):
        return ""
    kind = told.get("_class_name")
    if isinstance(kind, str):
        return f"is of a {kind} of diffusers, whose models are not built here"
    return 'has no "model_type"'


def _of_this(options: Options, arguments: argparse.Namespace, target: Target) -> Options:
    wishes: dict[str, Any] = {
        "gpu": arguments.gpu,
        "room": arguments.memory,
        "gpus": arguments.gpus,
        "rows": arguments.batch_size,
        "length": arguments.length,
        "live": arguments.live or None,
    }
    wishes = {name: value for name, value in wishes.items() if value is not None}
    others = {name: part for name, part in options.stated.items() if name != "overfit"}
    stated: dict[str, Any] = {**others, "memory": {"planned": True, **wishes}}
    if target.kind == "blueprint":
        _known_arguments(dict(arguments.arguments_set or ()))
        stated["settings"] = dict(arguments.arguments_set or ())
    options = replace(options, stated=stated)
    return options if arguments.select is not None else replace(options, select=CHECKS)


def _known_arguments(stated: dict[str, object]) -> None:
    """Refuse what is no argument of TrainingArguments, where these are known."""
    if not stated:
        return
    from pipedoctor import frameworks
    from pipedoctor.fact import Cost, Unavailable
    from pipedoctor.facts import Arguments
    from pipedoctor.pipeline import Pipeline

    parts = Parts({"settings": stated})
    try:
        known = Pipeline(parts, frameworks.probes(parts), Cost.STATIC).fact(Arguments)
    except Unavailable:
        return
    for name in stated:
        if name in known.fields or (known.known("history") and name in known.history):
            continue
        import difflib

        near = difflib.get_close_matches(name, known.fields, 1, 0.7)
        meant = f"; did you mean {near[0]}?" if near else ""
        raise UsageError(f"--set: {known.owner} has no argument called {name}{meant}")

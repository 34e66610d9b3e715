"""`pipedoctor nan-trace`: where a value that is not finite is born."""

from __future__ import annotations

import argparse
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

CHECKS = ("RUN", "NUM020")
"""The checks that speak of what is shown."""


def run(arguments: argparse.Namespace) -> int:
    """Show where NaN is born; return 0 if everything is finite."""
    reports.refuse_overwriting(arguments)
    arguments.depth = "backward"
    known = registry.load()
    target = _target(arguments)
    options = _of_this(reports.options(arguments, known), arguments)
    with Progress(sys.stderr) as progress:
        report = Examination(target, known, options, progress, figures=("Trace",)).run()
    reports.publish(report, arguments, verb="nan_trace")
    status = reports.status(arguments, options, report)
    told = next(iter(report.figures.get("Trace", ())), {})
    # What can't be looked at is not proved finite.
    unknown = status == CLEAN and not told.get("finite") and not arguments.exit_zero
    return UNSETTLED if unknown else status


def _target(arguments: argparse.Namespace) -> Target:
    if (arguments.model is None) == (arguments.target is None):
        raise UsageError("nan-trace takes either a TARGET or --model FOLDER|MODULE:CALLABLE")
    if arguments.model is None:
        return resolve(arguments.target, arguments.arguments)
    if ":" not in arguments.model and not os.path.isdir(arguments.model):
        raise UsageError(f"--model {arguments.model}: there is no such folder")
    return Target(arguments.model, Parts({}), ("model",), kind="model")


def _of_this(options: Options, arguments: argparse.Namespace) -> Options:
    wishes: dict[str, Any] = {"batches": "all" if arguments.all else arguments.batches or 1}
    if arguments.steps:
        wishes = {"steps": arguments.steps}
    if arguments.data is not None:
        if not os.path.isfile(arguments.data):
            raise UsageError(f"--data {arguments.data}: there is no such file")
        wishes["data"] = os.path.abspath(arguments.data)
    options = replace(options, stated={**options.stated, "trace": wishes})
    return options if arguments.select is not None else replace(options, select=CHECKS)

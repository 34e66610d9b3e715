"""`pipedoctor lr`: which learning rates a pipeline learns at, and what that says of its own."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

from pipedoctor import registry
from pipedoctor.cli import CLEAN, FOUND, UNSETTLED, reports
from pipedoctor.cli.progress import Progress
from pipedoctor.examination import Examination
from pipedoctor.facts.range_test import FOUND as SUGGESTED
from pipedoctor.one_rate import agreeing
from pipedoctor.options import Options, UsageError
from pipedoctor.targets import resolve

CHECKS = ("RUN", "NUM020", "HYP001", "HYP002", "HYP003", "HYP010", "HYP011")
"""The checks that speak of rates, and of what keeps any from working."""

LEAST, MOST = 30, 400
"""With fewer steps there are too few for a decade of rates; with more, batches come again."""


def run(arguments: argparse.Namespace) -> int:
    """Try rates, show what came of it; return 0 if some work and the user's is not disproved."""
    if arguments.steps is not None and not LEAST <= arguments.steps <= MOST:
        raise UsageError(f"--steps takes {LEAST} to {MOST}, not {arguments.steps}")
    reports.refuse_overwriting(arguments)
    arguments.depth = "training"
    known = registry.load()
    target = resolve(arguments.target, arguments.arguments)
    options = _of_this(reports.options(arguments, known), arguments)
    with Progress(sys.stderr) as progress:
        names = ("UsualRates", "RangeTest")
        report = Examination(target, known, options, progress, figures=names).run()
    report = agreeing(report)
    reports.publish(report, arguments, verb="lr")
    status = reports.status(arguments, options, report)
    told = next(iter(report.figures.get("RangeTest", ())), {})
    if status not in {CLEAN, UNSETTLED} or arguments.exit_zero or told.get("works"):
        return status
    # What can't be tried is not proved to work, nor that it doesn't.
    return FOUND if told.get("outcome") == SUGGESTED else UNSETTLED


def _of_this(options: Options, arguments: argparse.Namespace) -> Options:
    stated = {name: part for name, part in options.stated.items() if name != "overfit"}
    wishes = {} if arguments.steps is None else {"steps": arguments.steps}
    options = replace(options, stated={**stated, "range_test": wishes})
    return options if arguments.select is not None else replace(options, select=CHECKS)

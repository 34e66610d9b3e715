"""`pipedoctor overfit`: whether a pipeline can learn one batch, and why not."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

from pipedoctor import registry
from pipedoctor.cli import CLEAN, FOUND, UNSETTLED, reports
from pipedoctor.cli.progress import Progress
from pipedoctor.examination import Examination
from pipedoctor.facts.overfit import INCONCLUSIVE
from pipedoctor.targets import resolve

CHECKS = (
    *("RUN", "GRD", "LAB", "NUM020"),
    *("HYP001", "HYP003", "HYP010", "HYP011"),
    *("LOS002", "LOS003", "LOS010", "LOS011", "LOS012"),
    *("KER001", "KER002", "KER003", "KER005", "KER015", "DAT017", "DAT022"),
)
"""The checks that speak of what keeps a pipeline from learning."""

BEYOND = ("DAT020", "LOS020")
"""Those that speak of more than one batch."""


def run(arguments: argparse.Namespace) -> int:
    """Train on one batch, show what came of it; return 0 if it is learned."""
    reports.refuse_overwriting(arguments)
    arguments.depth = "training"
    known = registry.load()
    target = resolve(arguments.target, arguments.arguments)
    arguments.learnability = arguments.learnability or arguments.learned_rows is not None
    options = reports.options(arguments, known)
    if arguments.select is None:
        beyond = BEYOND if arguments.learnability else ()
        options = replace(options, select=(*CHECKS, *beyond))
    figures = ("Overfit", "Learnability") if arguments.learnability else ("Overfit",)
    with Progress(sys.stderr) as progress:
        report = Examination(target, known, options, progress, figures=figures).run()
    reports.publish(report, arguments, verb="overfit")
    status = reports.status(arguments, options, report)
    told = next(iter(report.figures.get("Overfit", ())), {})
    if status not in {CLEAN, UNSETTLED} or arguments.exit_zero or told.get("learns"):
        return status
    # What can't be tried is not proved to learn, nor that it can't.
    return FOUND if told.get("verdict", INCONCLUSIVE) != INCONCLUSIVE else UNSETTLED

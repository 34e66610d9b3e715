"""`pipedoctor checkpoint PATH`: what a training left, read without loading it."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

from pipedoctor import registry
from pipedoctor.cli import reports
from pipedoctor.cli.progress import Progress
from pipedoctor.examination import Examination
from pipedoctor.report import Report
from pipedoctor.targets import checkpoint

FACTS = ("Checkpoint", "Loading", "RunFolder", "SavedValues")


def run(arguments: argparse.Namespace) -> int:
    """Show what the checkpoint holds and what was found in it; return the exit status."""
    reports.refuse_overwriting(arguments)
    arguments.depth = "files"
    known = registry.load()
    options = reports.options(arguments, known)
    target = checkpoint.read(arguments.target)
    if arguments.resume_with is not None:
        from pipedoctor.targets import resuming

        target = resuming.with_run(target, arguments.resume_with)
    out = arguments.convert
    if out is not None:
        from pipedoctor.cli import converting

        converting.refuse(target, out, overwrite=arguments.overwrite)
    with Progress(sys.stderr) as progress:
        if arguments.scan:
            options = replace(options, stated={**options.stated, "scan": progress})
        report = Examination(target, known, options, progress, figures=FACTS).run()
        if out is not None:
            report = converting.convert(
                report, target, out, progress, overwrite=arguments.overwrite
            )
    reports.publish(report if arguments.tensors else _short(report), arguments, verb="checkpoint")
    return reports.status(arguments, options, report)


def _short(report: Report) -> Report:
    """Return the report without the list of all tensors."""
    told = next(iter(report.figures.get("Checkpoint", ())), {})
    short = {name: value for name, value in told.items() if name != "tensor_list"}
    return replace(report, figures={**report.figures, "Checkpoint": (short,)})

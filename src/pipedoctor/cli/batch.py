"""`pipedoctor batch TARGET`: what really enters the model, and what it answers."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

from pipedoctor import registry
from pipedoctor.cli import reports
from pipedoctor.cli.progress import Progress
from pipedoctor.examination import Examination
from pipedoctor.options import Options
from pipedoctor.report import Report
from pipedoctor.targets import resolve

CHAPTERS = ("RUN", "DAT", "LAB", "LLM")
"""The checks that speak of what is shown."""


def run(arguments: argparse.Namespace) -> int:
    """Show the batches of the target and what was found in them; return the exit status."""
    reports.refuse_overwriting(arguments)
    arguments.depth = "forward" if arguments.predict else "model"
    known = registry.load()
    options = _of_chapters(reports.options(arguments, known), arguments)
    options = replace(options, shown=arguments.rows)
    target = resolve(arguments.target, arguments.arguments)
    facts = ("Preview", "Predictions") if arguments.predict else ("Preview",)
    with Progress(sys.stderr) as progress:
        report = Examination(target, known, options, progress, figures=facts).run()
    if arguments.split is not None:
        report = _of_split(report, arguments.split)
    reports.publish(report, arguments, verb="batch")
    return reports.status(arguments, options, report)


def _of_chapters(options: Options, arguments: argparse.Namespace) -> Options:
    if arguments.select is not None:
        return options
    stated = tuple(code for code in options.select if code.startswith(CHAPTERS))
    return replace(options, select=stated or CHAPTERS)


def _of_split(report: Report, split: str) -> Report:
    figures = {
        name: tuple(entry for entry in entries if entry["split"] == split)
        for name, entries in report.figures.items()
    }
    return replace(report, figures=figures)

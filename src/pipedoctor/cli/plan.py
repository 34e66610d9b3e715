"""`pipedoctor plan TARGET`: when everything of a run will happen, before it is started."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

from pipedoctor import registry
from pipedoctor.cli import reports
from pipedoctor.cli.progress import Progress
from pipedoctor.examination import Examination
from pipedoctor.options import Options
from pipedoctor.targets import resolve

CHECKS = ("RUN", "HYP", "CKP", "LOS008", "LOS009", "EVA007", "EVA010", "EVA011")
"""The checks that speak of what is shown."""


def run(arguments: argparse.Namespace) -> int:
    """Show the plan of the target and what was found in it; return the exit status."""
    reports.refuse_overwriting(arguments)
    known = registry.load()
    target = resolve(arguments.target, arguments.arguments)
    if arguments.depth is None:
        arguments.depth = "model" if target.kind == "factory" else "files"
    options = _about_time(reports.options(arguments, known), arguments)
    with Progress(sys.stderr) as progress:
        report = Examination(target, known, options, progress, figures=("Timeline",)).run()
    reports.publish(report, arguments, verb="plan")
    return reports.status(arguments, options, report)


def _about_time(options: Options, arguments: argparse.Namespace) -> Options:
    if arguments.select is not None:
        return options
    stated = tuple(code for code in options.select if code.startswith(CHECKS))
    return replace(options, select=stated or CHECKS)

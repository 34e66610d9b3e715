"""`pipedoctor check TARGET`."""

from __future__ import annotations

import argparse
import sys

from pipedoctor import registry
from pipedoctor.cli import reports
from pipedoctor.cli.progress import Progress
from pipedoctor.examination import Examination
from pipedoctor.targets import resolve


def run(arguments: argparse.Namespace) -> int:
    """Examine the target, print the report, return the exit status."""
    if arguments.fix or arguments.diff or arguments.unsafe_fixes:
        from pipedoctor.cli import fixing

        return fixing.run(arguments)
    reports.refuse_overwriting(arguments)
    known = registry.load()
    options = reports.options(arguments, known)
    target = resolve(arguments.target, arguments.arguments)
    with Progress(sys.stderr) as progress:
        report = Examination(target, known, options, progress).run()
    reports.publish(report, arguments)
    return reports.status(report, arguments)

"""`pipedoctor check TARGET…`."""

from __future__ import annotations

import argparse
import sys

from pipedoctor import registry
from pipedoctor.cli import reports
from pipedoctor.cli.progress import Progress
from pipedoctor.examination import Examination
from pipedoctor.targets import resolve


def run(arguments: argparse.Namespace) -> int:
    """Examine the target, or several, print the report, return the exit status."""
    reports.refuse_overwriting(arguments)
    known = registry.load()
    options = reports.options(arguments, known)
    first, *others = dict.fromkeys(arguments.targets)
    if others or arguments.write_baseline:
        from pipedoctor.cli import several

        return several.run([first, *others], arguments, options, known)
    target = resolve(first, arguments.arguments)
    with Progress(sys.stderr) as progress:
        report = Examination(target, known, options, progress).run()
    reports.publish(report, arguments)
    return reports.status(arguments, options, report)

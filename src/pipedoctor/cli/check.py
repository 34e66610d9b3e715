"""`pipedoctor check TARGET`."""

from __future__ import annotations

import argparse
import sys

from pipedoctor import registry
from pipedoctor.cli import elsewhere, reports
from pipedoctor.cli.progress import Progress
from pipedoctor.examination import Examination
from pipedoctor.options import UsageError
from pipedoctor.targets import resolve


def run(arguments: argparse.Namespace) -> int:
    """Examine the target, print the report, return the exit status."""
    reports.refuse_overwriting(arguments)
    known = registry.load()
    options = reports.options(arguments, known)
    if arguments.target is None and not arguments.arguments:
        raise UsageError("name a target, or a command after --: pipedoctor check -- trl sft …")
    target = resolve(
        arguments.target, arguments.arguments, arguments.dialect, tuple(arguments.beside)
    )
    if arguments.versions:
        target, options = elsewhere.with_versions(target, options, dict(arguments.versions))
    with Progress(sys.stderr) as progress:
        report = Examination(target, known, options, progress).run()
    reports.publish(report, arguments)
    return reports.status(report, arguments)

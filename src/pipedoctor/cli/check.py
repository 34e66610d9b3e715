"""`pipedoctor check TARGET…`."""

from __future__ import annotations

import argparse
import sys

from pipedoctor import registry
from pipedoctor.cli import reports
from pipedoctor.cli.asked import asked
from pipedoctor.cli.progress import Progress
from pipedoctor.examination import Examination
from pipedoctor.options import UsageError


def run(arguments: argparse.Namespace) -> int:
    """Examine the target, or several, print the report, return the exit status."""
    if arguments.fix or arguments.diff or arguments.unsafe_fixes:
        from pipedoctor.cli import fixing

        return fixing.run(arguments)
    reports.refuse_overwriting(arguments)
    known = registry.load()
    options = reports.options(arguments, known)
    names = list(dict.fromkeys(arguments.targets))
    if not names and not arguments.arguments:
        raise UsageError("name a target, or a command after --: pipedoctor check -- trl sft …")
    if len(names) > 1 or arguments.write_baseline:
        from pipedoctor.cli import several

        return several.run(names or [None], arguments, options, known)
    target, options = asked(names[0] if names else None, arguments, options)
    with Progress(sys.stderr) as progress:
        report = Examination(target, known, options, progress).run()
    reports.publish(report, arguments)
    return reports.status(arguments, options, report)

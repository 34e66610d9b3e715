"""`pipedoctor env`: what is wrong with the machine and the packages that a training will meet."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

from pipedoctor import registry
from pipedoctor.cli import reports
from pipedoctor.cli.progress import Progress
from pipedoctor.examination import Examination
from pipedoctor.parts import Parts
from pipedoctor.registry import Row
from pipedoctor.targets import Target

FACTS = ("Packages", "TriedImports", "Cuda", "Machine", "HubHome")
"""What is shown, in this order."""

OURS = frozenset((*FACTS, "Environment"))
"""A check that needs nothing else speaks of the environment alone."""


def run(arguments: argparse.Namespace) -> int:
    """Show the environment and what was found in it; return the exit status."""
    reports.refuse_overwriting(arguments)
    known = registry.load()
    options = reports.options(arguments, known)
    if arguments.select is None:
        options = replace(options, select=tuple(row.code for row in known.rows if _ours(row)))
    with Progress(sys.stderr) as progress:
        wish = {"children": not arguments.quick, "watch": progress}
        target = Target(sys.prefix, Parts({"surroundings": wish}), kind="machine")
        report = Examination(
            target, known, options, progress, figures=(*FACTS, "Environment")
        ).run()
    reports.publish(report, arguments, verb="env")
    return reports.status(arguments, options, report)


def _ours(row: Row) -> bool:
    needed = {want.fact for want in row.wants if not want.optional}
    return bool(needed) and needed <= OURS

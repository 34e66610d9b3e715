"""`pipedoctor check` on several targets in one call, and the writing of a baseline."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace

from pipedoctor import ignoring
from pipedoctor.cli import INTERNAL, USAGE, formats, reports
from pipedoctor.cli.asked import asked
from pipedoctor.cli.progress import Progress
from pipedoctor.examination import Examination
from pipedoctor.ignoring import baseline
from pipedoctor.options import Options, UsageError
from pipedoctor.registry import Registry
from pipedoctor.report import Report
from pipedoctor.reporters.together import Together
from pipedoctor.targets import TargetError
from pipedoctor.units import plural


def run(
    targets: Sequence[str | None], arguments: argparse.Namespace, options: Options, known: Registry
) -> int:
    """Examine the targets one after another; return the worst exit status."""
    if arguments.arguments and len(targets) > 1:
        raise UsageError("the arguments after -- are for one script; name one target with them")
    path = options.baseline or baseline.USUAL
    if arguments.write_baseline:
        options = replace(options, baseline=None)
    told: list[Report] = []
    unreadable: list[tuple[str, str]] = []
    with Progress(sys.stderr) as progress:
        for name in targets:
            try:
                target, wishes = asked(name, arguments, options)
            except TargetError as error:
                unreadable.append((name or "the command", str(error)))
                continue
            told.append(Examination(target, known, wishes, progress).run())
    if arguments.write_baseline:
        told = _accept(told, path)
    if arguments.output_format == "text":  # the other formats tell it themselves
        for _, sentence in unreadable:
            print(f"pipedoctor: {sentence}", file=sys.stderr)
    formats.publish(Together(tuple(told), tuple(unreadable)), arguments)
    status = reports.status(arguments, options, *told)
    return USAGE if unreadable and status != INTERNAL else status


def _accept(told: Sequence[Report], path: str) -> list[Report]:
    """Write the baseline anew; return the reports as they are seen with it."""
    renewed = baseline.read(path, must_exist=False).renewed(told)
    reports.write(path, renewed.text(), "the baseline")
    number = sum(entry.count for entry in renewed.entries)
    print(f"pipedoctor: {renewed.name} holds {plural(number, 'finding')}", file=sys.stderr)
    return [ignoring.known(report, path) for report in told]

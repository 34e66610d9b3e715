"""`pipedoctor check TARGET`."""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import sys
from dataclasses import replace

from pipedoctor import options as wishes
from pipedoctor import registry
from pipedoctor.cli import CLEAN, FOUND, INTERNAL
from pipedoctor.cli.progress import Progress
from pipedoctor.examination import Examination
from pipedoctor.fact import Cost
from pipedoctor.finding import Severity
from pipedoctor.options import Options, UsageError
from pipedoctor.report import Report, Status
from pipedoctor.targets import resolve


def run(arguments: argparse.Namespace) -> int:
    """Examine the target, print the report, return the exit status."""
    if arguments.output_file and os.path.exists(arguments.output_file):
        _refuse_overwriting(arguments.target, arguments.output_file)
    known = registry.load()
    options = _options(arguments, known)
    target = resolve(arguments.target, arguments.arguments)
    with Progress(sys.stderr) as progress:
        report = Examination(target, known, options, progress).run()
    status = _status(report, arguments)
    try:
        _print(report, arguments)
        sys.stdout.flush()
    except OSError as error:
        if error.errno != errno.EPIPE:
            raise UsageError(f"the report can't be written: {error.strerror}") from None
        # Whoever reads, `head` for instance, has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return status


def _status(report: Report, arguments: argparse.Namespace) -> int:
    if arguments.exit_zero or report.ok(Severity[arguments.fail_on.upper()]):
        return CLEAN
    worst = report.worst()
    found = worst is not None and worst >= Severity[arguments.fail_on.upper()]
    only_our_fault = not found and not report.count(Status.BLOCKED)
    return INTERNAL if only_our_fault and report.count(Status.CRASHED) else FOUND


def _options(arguments: argparse.Namespace, known: registry.Registry) -> Options:
    options = wishes.merge(*wishes.read_settings(os.getcwd()), known)
    if arguments.select is not None:
        options = replace(options, select=wishes.codes(arguments.select, known, "--select"))
    if arguments.ignore is not None:
        ignored = wishes.codes(arguments.ignore, known, "--ignore")
        options = replace(options, ignore=(*options.ignore, *ignored))
    return replace(
        options,
        depth=Cost[arguments.depth.upper()],
        preview=arguments.preview or options.preview,
        seconds=arguments.time or options.seconds,
    )


def _print(report: Report, arguments: argparse.Namespace) -> None:
    if arguments.output_format == "json":
        from pipedoctor.reporters import json

        rendered = json.render(report)
    elif arguments.output_file:
        from pipedoctor.reporters import text

        rendered = text.plain(report)
    else:
        _print_for_people(report)
        return
    if arguments.output_file:
        _write(arguments.output_file, rendered)
    else:
        sys.stdout.write(rendered)


def _print_for_people(report: Report) -> None:
    from pipedoctor.cli.terminal import in_colour, width
    from pipedoctor.reporters import text

    text.write(report, sys.stdout, colour=in_colour(sys.stdout), width=width(sys.stdout))


def _refuse_overwriting(target: str, report: str) -> None:
    if os.path.exists(target) and os.path.samefile(target, report):
        raise UsageError(f"{report} is what is to be examined; write the report to another file")


def _write(path: str, text: str) -> None:
    """Write the report; one that was there before stays whole until the new one is."""
    special = os.path.exists(path) and not os.path.isfile(path)  # /dev/stderr, a pipe
    draft = path if special else f"{path}.{os.getpid()}.tmp"
    try:
        with open(draft, "w", encoding="utf-8") as file:
            file.write(text)
        if not special:
            os.replace(draft, path)
    except OSError as error:
        if not special:
            with contextlib.suppress(OSError):
                os.unlink(draft)
        raise UsageError(f"the report can't be written to {path}: {error.strerror}") from None

"""Reports on one or several targets in the format that was asked for, written where they go."""

from __future__ import annotations

import argparse
import sys
from typing import TextIO

from pipedoctor import registry
from pipedoctor.cli import reports
from pipedoctor.finding import Severity
from pipedoctor.report import every
from pipedoctor.reporters.text import encoding_of
from pipedoctor.reporters.together import Together


def publish(told: Together, arguments: argparse.Namespace) -> None:
    """
    Write several reports where they were wished for: to a file, or to standard output.

    Raises:
        UsageError: They can't be written there.

    """
    with reports.heard(sys.stdout):
        if arguments.output_format == "text" and not arguments.output_file:
            _write_text(told, sys.stdout)
            return
        rendered = rendering(told, arguments, sys.stdout)
        if arguments.output_file:
            reports.write(arguments.output_file, rendered)
        else:
            sys.stdout.write(rendered)


def rendering(told: Together, arguments: argparse.Namespace, stream: TextIO) -> str:
    """Return the text of the reports; what the encoding of the stream lacks is told by escapes."""
    name = arguments.output_format
    if name == "json":
        from pipedoctor.reporters import json

        return json.several(told)
    if name == "junit":
        from pipedoctor.reporters import junit

        return junit.render(told, Severity[arguments.fail_on.upper()])
    if name == "sarif":
        from pipedoctor.reporters import sarif

        return sarif.render(told, _pages(told))
    if name == "github":
        from pipedoctor.reporters import github

        text = github.render(told)
    elif name == "concise":
        from pipedoctor.reporters import concise

        text = concise.render(told)
    else:
        text = _plain(told)
    encoding = "utf-8" if arguments.output_file else encoding_of(stream)
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _pages(told: Together) -> dict[str, str]:
    """Return the pages of the checks that found something, by code."""
    known = registry.load()
    codes = {one.rule.code for report in told.reports for one in report.suppressed}
    codes |= {entry.rule.code for report in told.reports for entry in every(report.entries)}
    return {row.code: row.load().doc for row in known.rows if row.code in codes}


def _plain(told: Together) -> str:
    from pipedoctor.reporters import text

    pages = [text.plain(report) for report in told.reports]
    return "\n".join([*pages, told.verdict + "\n"])


def _write_text(told: Together, stream: TextIO) -> None:
    from pipedoctor.cli.terminal import in_colour, width
    from pipedoctor.reporters import text

    colour, columns = in_colour(stream), width(stream, text.WIDEST)
    for report in told.reports:
        text.write(report, stream, colour=colour, width=columns)
        stream.write("\n")
    text.write_lines([[(told.verdict, "bold")]], stream, colour=colour, width=columns)

"""What both preflight callbacks do with a report: tell it, and stop what is not ready."""

from __future__ import annotations

import os
import sys

from pipedoctor.cli.terminal import in_colour, width
from pipedoctor.finding import Severity
from pipedoctor.report import Report
from pipedoctor.reporters import text


class NotReady(RuntimeError):  # noqa: N818 - it says what is the case; the report has the errors
    """The pipeline is not ready to train; `report` says why."""

    def __init__(self, report: Report) -> None:
        """Keep the report; its text is the message."""
        super().__init__(f"the pipeline is not ready to train\n\n{report}")
        self.report = report


def demand(report: Report, fail_on: Severity, *, force: bool) -> None:
    """
    Write a report to standard error, and let the training go on.

    Raises:
        NotReady: Something was found that should stop it, and nobody forces it to go on.

    """
    ready = report.ok(fail_on)
    if not ready and not force:
        raise NotReady(report)
    if os.environ.get("RANK", "0") == "0":
        colour = in_colour(sys.stderr)
        text.write(report, sys.stderr, colour=colour, width=width(sys.stderr))

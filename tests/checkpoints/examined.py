"""What is found in a checkpoint that lies on the disk."""

from __future__ import annotations

from pathlib import Path

from pipedoctor import Finding, registry
from pipedoctor.examination import Examination
from pipedoctor.fact import Cost
from pipedoctor.options import Options
from pipedoctor.report import Status
from pipedoctor.targets import checkpoint


def findings(path: Path) -> dict[str, Finding]:
    """Return the first finding of each check that has one, by its code."""
    target = checkpoint.read(str(path))
    report = Examination(target, registry.load(), Options(depth=Cost.FILES)).run()
    assert report.count(Status.CRASHED) == 0
    return {entry.rule.code: entry.finding for entry in reversed(report.entries)}

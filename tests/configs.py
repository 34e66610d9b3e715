"""Configs written to a folder and examined as far as their text and files go."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipedoctor import registry
from pipedoctor.examination import Examination
from pipedoctor.fact import Cost
from pipedoctor.facts import Settings
from pipedoctor.finding import Finding
from pipedoctor.options import Options
from pipedoctor.report import Report, Status
from pipedoctor.targets import Target, resolve


def examined(
    name: str | os.PathLike[str] | None,
    *words: str,
    dialect: str | None = None,
    beside: Sequence[str] = (),
) -> Report:
    """Return the report on a target, or on a command; nothing is loaded."""
    given = None if name is None else os.fspath(name)
    return report_of(resolve(given, words, dialect, beside))


def report_of(target: Target) -> Report:
    report = Examination(target, registry.load(), Options(depth=Cost.FILES)).run()
    crashed = [o.reason for o in report.outcomes if o.status is Status.CRASHED]
    assert not crashed, crashed[0]
    return report


def found(report: Report) -> dict[str, list[Finding]]:
    """Return the findings by their codes, in the order of the report."""
    told: dict[str, list[Finding]] = {}
    for entry in report.entries:
        told.setdefault(entry.rule.code, []).append(entry.finding)
        assert not entry.folded
    return told


def codes(report: Report) -> list[str]:
    return [entry.rule.code for entry in report.entries]


def settings_of(target: Target, **environment: Any) -> Settings:
    """Return the settings that checks see of a target."""
    from facts import pipeline

    given = {"environment": environment} if environment else {}
    return pipeline(settings=target.parts["settings"], **given).fact(Settings)


def write(folder: Path, text: str, name: str = "config.yaml") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)

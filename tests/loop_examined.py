"""Examining a script as the loop of a pipeline, in this process."""

from __future__ import annotations

import runpy
from pathlib import Path

from pipedoctor import frameworks, registry
from pipedoctor.examination import run_rows
from pipedoctor.fact import Cost
from pipedoctor.finding import Severity
from pipedoctor.options import Options
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline
from pipedoctor.report import Status
from pipedoctor.targets.script import ScriptText

TOLD = {
    "Loop",
    "Gradients",
    "Optimizer",
    "Model",
    "Trace",
    "LoadedStates",
    "Script",
    "LabelOrder",
    "LabelShift",
    "ShortRuns",
}
"""The facts that a loop tells."""


def examined(path: Path) -> tuple[list[str], Pipeline]:
    """Run a script as the loop of a pipeline; return what errors and warnings are found in it."""

    def loop() -> None:
        runpy.run_path(str(path), run_name="__main__")

    text = ScriptText.of(path.read_text(), str(path))
    parts = Parts({"loop": loop, "script": text})
    pipeline = Pipeline(parts, frameworks.probes(parts), Cost.TRAINING)
    rows = [row for row in registry.load().rows if {want.fact for want in row.wants} & TOLD]
    told = []
    for _, outcome in run_rows(rows, pipeline, Options()):
        assert outcome.status is not Status.CRASHED, outcome.reason
        for finding in outcome.findings:
            severity = finding.severity or outcome.rule.severity
            if severity is not Severity.NOTE:
                told.append(f"{outcome.rule.code} {finding.message}")
    return told, pipeline

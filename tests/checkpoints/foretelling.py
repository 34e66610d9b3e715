"""What pipedoctor says of a run that is to be gone on from, without torch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipedoctor.fact import Cost
from pipedoctor.finding import Finding
from pipedoctor.live import examine_parts
from pipedoctor.options import Options

BASE: dict[str, Any] = {
    "report_to": "none",
    "use_cpu": True,
    "disable_tqdm": True,
    "max_steps": 8,
    "save_steps": 2,
    "logging_steps": 1,
    "per_device_train_batch_size": 2,
    "learning_rate": 5e-4,
    "weight_decay": 0.01,
}
"""The arguments that the run was made with, of which each row changes some."""

CODES = (
    *("CKP006", "CKP007", "CKP008", "CKP010", "CKP011", "CKP016", "CKP020"),
    *("CKP050", "CKP051", "CKP052", "CKP053", "CKP054", "CKP055", "CKP056", "CKP057", "CKP058"),
)

NEWEST = "checkpoint-4"


def findings(
    run: Path,
    settings: Mapping[str, Any] | None = None,
    asked: Any = True,
    environment: Mapping[str, Any] | None = None,
) -> list[tuple[str, Finding]]:
    """What is found in a run and the settings of its second part, with the codes."""
    stated = {**BASE, "output_dir": str(run), **(settings or {})}
    if asked is True:
        stated["resume_from_checkpoint"] = True
    else:
        stated["resume_from_checkpoint"] = os.path.normpath(run / asked)
    parts: dict[str, Any] = {"settings": stated, "train_rows": 16}
    if (run / NEWEST).is_dir():
        parts["files"] = {"saved": str(run / NEWEST)}
    if environment:
        parts["environment"] = dict(environment)
    report = examine_parts("run", parts, Options(select=CODES, depth=Cost.FILES))
    for outcome in report.outcomes:
        assert outcome.status.value != "crashed", outcome.reason
    return [(outcome.rule.code, one) for outcome in report.outcomes for one in outcome.findings]


def codes(run: Path, **asked: Any) -> set[str]:
    """The codes of what is found."""
    return {code for code, _ in findings(run, **asked)}

"""A checkpoint together with the training that is to go on from it."""

from __future__ import annotations

import os
from dataclasses import replace

from pipedoctor.parts import Parts
from pipedoctor.targets import Target, TargetError, checkpoint, resolve


def with_run(target: Target, name: str) -> Target:
    """
    Return the target with the settings of a config or script, as if it resumed from there.

    Of the folder of a run, it takes the checkpoint that Trainer takes. Nothing is run.

    Raises:
        TargetError: The checkpoint is no folder, or the training can't be read.

    """
    path = target.parts["files"]["saved"]
    if not os.path.isdir(path):
        raise TargetError(f"{target.name} is a file; name the folder checkpoint-N to resume from")
    run = resolve(name)
    if run.kind not in {"config", "script"}:
        raise TargetError(
            f"{name} is no config and no script, so it tells nothing of the training"
        )
    files = run.parts.get("files", {}) if "files" in run.parts else {}
    files = {**files, **target.parts["files"]}
    asked = True if checkpoint.steps(path) else path
    parts = {key: run.parts[key] for key in run.parts if key != "files"}
    call = {"resume_from_checkpoint": asked}
    return replace(
        target,
        parts=Parts({**parts, "files": files, "call": call}),
        subject=run.subject,
        problems=run.problems,
    )

"""What a training left as a target: a file of weights, a model's folder, the folder of a run."""

from __future__ import annotations

import os
import re

from pipedoctor.fact import Unavailable
from pipedoctor.facts.checkpoint import SUFFIXES
from pipedoctor.parts import Parts
from pipedoctor.targets import Target, TargetError

_STEP = re.compile(r"checkpoint-\d+")


def recognise(name: str) -> bool:
    """Whether it is one, told by the names; no file is opened."""
    if not os.path.isdir(name):
        return name.endswith(SUFFIXES) and os.path.lexists(name)
    from pipedoctor.probes import checkpoint

    try:
        return steps(name) or checkpoint.is_checkpoint(name)
    except Unavailable:
        return False


def steps(folder: str) -> bool:
    """Whether a folder holds checkpoints of a Trainer's run."""
    try:
        names = os.listdir(folder)
    except OSError:
        return False
    return any(_STEP.fullmatch(n) and os.path.isdir(os.path.join(folder, n)) for n in names)


def read(name: str) -> Target:
    """
    Return the target that a path, or the name of a model in the hub's cache, stands for.

    Raises:
        TargetError: There is nothing that could be a checkpoint.

    """
    path = _path(name)
    if not os.path.isdir(path):
        return Target(name, Parts({"files": {"saved": path}}), kind="checkpoint")
    files = {"saved": path}
    if steps(path):
        files["output_dir"] = path
    elif not recognise(path):
        raise TargetError(
            f"{name} holds no checkpoint: no weights, no config.json, no checkpoint-N; name the "
            "folder that a training saved to, or a file of weights"
        )
    return Target(name, Parts({"files": files}), kind="checkpoint")


def _path(name: str) -> str:
    if os.path.lexists(name):
        return name
    from pipedoctor.probes import hub_cache

    try:
        return hub_cache.locate(name)
    except Unavailable as reason:
        raise TargetError(str(reason)) from None

"""The steps that the files of a checkpoint tell; the optimizer's are read from its tensors."""

from __future__ import annotations

import re
import struct
from typing import Any

from pipedoctor.checkpoints.contents import StoredTensor
from pipedoctor.fact import UNKNOWN, Cost, Split, Unavailable
from pipedoctor.facts.checkpoint import Checkpoint, StoredFile
from pipedoctor.facts.saved_steps import SavedSteps
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes import files, run_folder

_STEP = re.compile(r"state\.\d+\.step")

PLATEAU = "num_bad_epochs"
"""What only ReduceLROnPlateau keeps, whose last_epoch counts evaluations."""


@probe(SavedSteps, Cost.FILES, "files")
def saved_steps(pipeline: Pipeline, _split: Split) -> SavedSteps:
    """Read them where a Trainer saved its states in its own files."""
    held = pipeline.fact(Checkpoint)
    if held.kind != "trainer" or any("/" in file.name for file in held.files):
        raise Unavailable(f"{held.path} is no checkpoint that Trainer keeps the states of")
    by_name = {file.name: file for file in held.files}
    state = held.state.get("global_step") if held.known("state") else None
    return SavedSteps(
        held.path,
        run_folder.step_of(held.path) or UNKNOWN,
        state if type(state) is int else UNKNOWN,
        _schedule(by_name.get("scheduler.pt")),
        _optimizer(by_name.get("optimizer.pt")),
    )


def _schedule(file: StoredFile | None) -> Any:
    if file is None or not file.sound:
        return UNKNOWN
    values = file.contents.values
    step = values.get("last_epoch")
    return step if type(step) is int and step >= 0 and PLATEAU not in values else UNKNOWN


def _optimizer(file: StoredFile | None) -> Any:
    """Return the most steps of any parameter; one that has no gradient at times has fewer."""
    if file is None or not file.sound:
        return UNKNOWN
    contents = file.contents
    found = [v for n, v in contents.values.items() if _STEP.fullmatch(n) and type(v) is int]
    stored = [t for name, t in contents.tensors.items() if _STEP.fullmatch(name)]
    try:
        if stored and file.path != file.name:  # else it is described
            with files.opened(file.path) as source:
                found += [n for n in (_number(source, t) for t in stored) if n is not None]
    except OSError:
        return UNKNOWN
    return max(found, default=UNKNOWN)


def _number(source: Any, tensor: StoredTensor) -> int | None:
    """Return the whole number that a tensor of one element is."""
    if tensor.offset is None or tensor.shape not in {(), (1,)} or tensor.dtype != "F32":
        return None
    source.seek(tensor.offset)
    data = source.read(4)
    number = struct.unpack("<f", data)[0] if len(data) == 4 else -1.0
    return int(number) if 0 <= number < 2**24 and number == int(number) else None

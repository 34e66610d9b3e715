"""The checkpoints of a run: which one Trainer takes, and which a training can go on from."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from pipedoctor.checkpoints import resumption
from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts.checkpoint import Checkpoint
from pipedoctor.facts.run_folder import RunFolder, Saved
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes import checkpoint, described_checkpoint
from pipedoctor.probes.disk import output_dir

RUN = "run"
"""The entry of the part `files` that describes a run: its checkpoints by their names."""

_FOLDER = re.compile(r"checkpoint-(\d+)")


@probe(RunFolder, Cost.FILES)
def run_folder(pipeline: Pipeline, _split: Split) -> RunFolder:
    """
    Read every checkpoint of the folder that the run writes to, or take them as described.

    A description of it maps `run` to the checkpoints by their names, and `left` to other names.
    """
    files = pipeline.parts.get("files")
    if isinstance(files, Mapping) and isinstance(files.get(RUN), Mapping):
        found = {name: _described(name, held) for name, held in files[RUN].items()}
        return _folder("output_dir", found, tuple(files.get("left", ())))
    return read_run(output_dir(pipeline))


def read_run(path: str) -> RunFolder:
    """
    Return the checkpoints in a folder, and what an interrupted save left beside them.

    Raises:
        Unavailable: It can't be read, or holds neither.

    """
    path = os.path.expanduser(path)
    try:
        names = sorted(os.listdir(path))
    except OSError as error:
        raise Unavailable(f"{path} can't be read: {error.strerror}") from None
    found, leftovers = {}, []
    for name in names:
        if _FOLDER.fullmatch(name) and os.path.isdir(os.path.join(path, name)):
            found[name] = checkpoint.read_checkpoint(os.path.join(path, name))
        elif re.fullmatch(r"(tmp-)?checkpoint-\d+", name):
            leftovers.append(name)
    if not found and not leftovers:
        raise Unavailable(f"{path} holds no checkpoint")
    return _folder(path, found, tuple(leftovers))


def _folder(path: str, found: Mapping[str, Checkpoint], leftovers: tuple[str, ...]) -> RunFolder:
    best = ""
    for name in sorted(found, key=step_of):
        state = found[name].state if found[name].known("state") else {}
        best = os.path.basename(str(state.get("best_model_checkpoint") or "")) or best
    saved = tuple(
        saved_as(name, held, best=name == best)
        for name, held in sorted(found.items(), key=lambda item: step_of(item[0]))
    )
    return RunFolder(path, saved, leftovers, saved[-1].name if saved else None)


def _described(name: str, held: Mapping[str, Any]) -> Checkpoint:
    """
    Return a checkpoint of a described run: `state` is its trainer_state.json, `files` the rest.

    A file is described by the fields of `Contents` that matter, and has some bytes.
    """
    listed = {file: {"size": 1000, **fields} for file, fields in held.get("files", {}).items()}
    beside = {resumption.STATE: 1000} if "state" in held else {}
    beside |= {"config.json": 1000} if "config" in held else {}
    return described_checkpoint.described(
        {"path": name, "beside": beside, **held, "files": listed}
    )


def step_of(name: str) -> int:
    """Return the number in the name of a checkpoint's folder, 0 where there is none."""
    match = _FOLDER.fullmatch(os.path.basename(name.rstrip("/")))
    return int(match[1]) if match else 0


def saved_as(path: str, held: Checkpoint, *, best: bool = False) -> Saved:
    """Return a checkpoint as one of a run."""
    name = os.path.basename(path.rstrip("/"))
    faulty = frozenset(name for name, _ in resumption.faults(held))
    why = resumption.broken(held)
    odd = "" if why else resumption.of_other_weights(held)
    return Saved(step_of(path), name, held, why, best=best, faulty=faulty, odd=odd)

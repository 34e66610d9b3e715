"""The checkpoints of a run: which one Trainer takes, and which a training can go on from."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pipedoctor.checkpoints.contents import FlawKind, Verdict
from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts.checkpoint import WEIGHTS, Checkpoint, StoredFile
from pipedoctor.facts.run_folder import RunFolder, Saved
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes import checkpoint, tables
from pipedoctor.probes.disk import output_dir

RUN = "run"
"""The entry of the part `files` that describes a run: its checkpoints by their names."""

STATE = "trainer_state.json"
LOADED = ("optimizer.pt", "scheduler.pt")
"""Trainer loads both of these or none."""

FATAL = frozenset(FlawKind) - {FlawKind.CHECKSUM, FlawKind.DUPLICATE, FlawKind.CODE}
"""What keeps a loader from reading a file; changed bytes of a tensor, no loader sees."""

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
        Saved(step_of(name), name, held, broken(held), best=name == best)
        for name, held in sorted(found.items(), key=lambda item: step_of(item[0]))
    )
    return RunFolder(path, saved, leftovers, saved[-1].name if saved else None)


def _described(name: str, held: Mapping[str, Any]) -> Checkpoint:
    """
    Return a checkpoint of a described run: `state` is its trainer_state.json, `files` the rest.

    A file is described by the fields of `Contents` that matter, and has some bytes.
    """
    listed = {file: {"size": 1000, **fields} for file, fields in held.get("files", {}).items()}
    beside = {STATE: 1000} if "state" in held else {}
    beside |= {"config.json": 1000} if "config" in held else {}
    return checkpoint.described({"path": name, "beside": beside, **held, "files": listed})


def step_of(name: str) -> int:
    """Return the number in the name of a checkpoint's folder, 0 where there is none."""
    match = _FOLDER.fullmatch(os.path.basename(name.rstrip("/")))
    return int(match[1]) if match else 0


def broken(held: Checkpoint) -> str:
    """Return why a training can't go on from a checkpoint, "" where nothing speaks against it."""
    reasons = list(_reasons(held))
    if reasons and held.kind != "trainer":
        return f"the save was interrupted: {' and '.join(_with_commas(reasons))}"
    return ", and ".join(reasons)


def _with_commas(reasons: list[str]) -> list[str]:
    return [", ".join(reasons[:-1]) + ",", reasons[-1]] if len(reasons) > 1 else reasons


def _reasons(held: Checkpoint) -> Iterator[str]:
    by_name = {file.name: file for file in held.files}
    beside = held.beside if held.known("beside") else {}
    names = {*by_name, *beside}
    if STATE not in names:
        yield f"no {STATE}"
    elif not held.known("state"):
        yield _table(held, STATE)
    elif not isinstance(held.state.get("global_step"), int):
        yield f"{STATE} has no global_step"
    if "config.json" in names and not held.known("config"):
        yield from _config(held)
    if any("/" in name or name.startswith("pytorch_model_fsdp") for name in names):
        return  # DeepSpeed and FSDP have files of their own, or several adapters folders
    if not any(name in names for name in WEIGHTS) and not folders(held.path):
        yield "no model.safetensors"
    weights = held.weights
    states = [by_name[name] for name in LOADED if name in by_name]
    states = states if len(states) == len(LOADED) or STATE not in names else []
    random = [file for name, file in by_name.items() if name.startswith("rng_state")]
    for file in (*weights, *states, *random):
        reason = unreadable(file)
        if reason:
            yield reason


def folders(path: str) -> list[str]:
    """Return the folders in a checkpoint, of which each may be an adapter."""
    if not os.path.isdir(path):
        return []  # it is described
    with os.scandir(path) as entries:
        return [entry.name for entry in entries if entry.is_dir()]


def _config(held: Checkpoint) -> Iterator[str]:
    """Yield what is wrong with config.json, if the one that was looked for is another."""
    try:
        tables.read(os.path.join(held.path, "config.json"))
    except Unavailable:
        yield _table(held, "config.json")


def _table(held: Checkpoint, name: str) -> str:
    size = held.beside.get(name) if held.known("beside") else None
    return f"{name} has 0 bytes" if size == 0 else f"{name} is no JSON that can be read"


def unreadable(file: StoredFile) -> str:
    """Return why `torch.load` or safetensors can't read a file, "" where it can."""
    if file.size == 0 and not file.index:
        return f"{file.name} has 0 bytes"
    contents = file.contents
    flaw = next((flaw for flaw in contents.flaws if flaw.kind in FATAL), None)
    if flaw is not None:
        return f"{file.name} is damaged: {flaw.message}"
    if contents.verdict is Verdict.UNSAFE:
        return f"torch.load refuses {file.name}, which would run {contents.offender}"
    if contents.verdict is Verdict.MALFORMED:
        return f"{file.name} can't be read: {contents.reason}"
    return ""

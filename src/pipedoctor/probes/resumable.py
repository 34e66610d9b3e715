"""Whether a training could go on from a checkpoint that was named, with no training at hand."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

from pipedoctor.checkpoints import resumption
from pipedoctor.checkpoints.contents import Verdict
from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts.checkpoint import Checkpoint
from pipedoctor.facts.restored import Restored
from pipedoctor.facts.resumable import Resumable
from pipedoctor.facts.run_folder import RunFolder, Saved
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes import run_folder

STATES = ("optimizer.pt", "scheduler.pt", "rng_state", resumption.STATE)
"""What only a Trainer's checkpoint holds, by the beginnings of the names."""
OTHERS = ("optimizer.bin", "random_states_")
"""What accelerate's `save_state` writes, which is gone on from in another way."""


@probe(Resumable, Cost.FILES)
def resumable(pipeline: Pipeline, _split: Split) -> Resumable:
    """Take the newest checkpoint of a run, or the folder itself if a Trainer saved it as one."""
    files = pipeline.parts.get("files")
    named = "call" not in pipeline.parts and isinstance(files, Mapping) and "saved" in files
    if not named or pipeline.optional(Restored) is not None:
        found = pipeline.fact(Restored)
        whole = found.whole if found.known("whole") else ""
        return of(found.saved, found.names, found.sharded, whole, found)
    held = pipeline.fact(Checkpoint)
    run = pipeline.optional(RunFolder) if files and "output_dir" in files else None
    if run is not None and run.saved:
        one = run.saved[-1]
        whole = run.whole.checkpoint.path if run.whole is not None else ""
    else:
        one = run_folder.saved_as(held.path, held)
        whole = _beside(one)
    if one.odd:
        one = replace(one, broken=one.odd, faulty=frozenset({resumption.LOADED[0]}))
    told = Restored(one)
    if one.checkpoint.kind not in {"trainer", "model", "adapter", "unknown"}:
        raise Unavailable(f"{one.checkpoint.path} is no checkpoint of a Trainer")
    states = any(name.startswith(STATES[:3]) for name in told.names)
    # Without such a state it is a model, or the summary that a script leaves when it is through.
    other = any(name.startswith(OTHERS) for name in told.names)
    cut_off = bool(whole) and not told.names
    if other or not (states or cut_off):
        raise Unavailable(f"{one.checkpoint.path} is not what a Trainer goes on from")
    return of(one, told.names, told.sharded, whole)


def of(
    one: Saved,
    names: frozenset[str],
    sharded: bool = False,
    whole: str = "",
    restored: Restored | None = None,
) -> Resumable:
    """Return the fact of a checkpoint, with whether it is where its fault is told."""
    told = bool(one.broken) and (restored is not None or bool(whole) or _tells_more(one))
    return Resumable(one, names, sharded, whole, restored, told)


def _tells_more(one: Saved) -> bool:
    """
    Whether a checkpoint by itself has another fault than what is told of its files anyway.

    Of one whose weights can't be read, with no other to point at, what is wrong with them says
    that already; so does a file that runs code.
    """
    held = one.checkpoint
    there = {file.name: file for file in held.files}
    weights = {file.name for file in held.weights} & set(there)
    unsafe = {n for n, file in there.items() if file.contents.verdict is Verdict.UNSAFE}
    return bool(one.faulty - weights - unsafe)


def _beside(one: Saved) -> str:
    """Return the newest checkpoint beside a broken one that a training can go on from."""
    path = one.checkpoint.path
    if not one.step or not (one.broken or one.odd) or not os.path.isdir(path):
        return ""
    try:
        whole = run_folder.read_run(os.path.dirname(path.rstrip("/")) or os.curdir).whole
    except Unavailable:
        return ""
    return "" if whole is None else whole.checkpoint.path

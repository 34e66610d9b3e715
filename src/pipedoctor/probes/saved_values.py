"""The elements of a checkpoint's weights: read where that is asked for, or costs little."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipedoctor.checkpoints import elements
from pipedoctor.checkpoints.contents import Verdict
from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts.checkpoint import Checkpoint, StoredFile
from pipedoctor.facts.saved_values import Elements, SavedValues
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes import files
from pipedoctor.probes.checkpoint import NAME

LITTLE = 64_000_000
"""
Weights of so many bytes are read unasked. Without numpy they took 0.02 s of CPU as float16, 0.1 s
as float32 and 0.25 s as bfloat16 (measured 23 November 2026); importing numpy takes as long.
"""

JUDGED = frozenset({Verdict.ALLOWED, Verdict.NEEDS_TRUST})
"""The bytes of the tensors are read, whatever else such a file names."""


@probe(SavedValues, Cost.FILES, "files")
def saved_values(pipeline: Pipeline, _split: Split) -> SavedValues:
    """Read every element of the weights, or take them as they are described."""
    entry = files.given(pipeline, NAME)
    if isinstance(entry, Mapping):
        return _described(entry)
    checkpoint = pipeline.fact(Checkpoint)
    held = [f for f in checkpoint.weights if f.contents.verdict in JUDGED and f.sound]
    held = [file for file in held if not file.index]
    if not held:
        raise Unavailable("it holds no weights whose elements can be read here")
    watch = pipeline.parts.get("scan")
    readable = [t for f in held for t in f.contents.tensors.values() if elements.readable(t)]
    if not readable:
        raise Unavailable("its elements can't be read here: packed, or in a file beside it")
    total = sum(tensor.bytes or 0 for tensor in readable)
    if watch is None and total > LITTLE:
        raise Unavailable("needs --scan: every element is read")
    states = _optimizers(checkpoint)
    listed = (t for f in states for t in f.contents.tensors.values() if elements.readable(t))
    more = sum(tensor.bytes or 0 for tensor in listed)
    if watch is not None or total + more <= LITTLE:
        held, total = [*held, *states], total + more
    found: dict[str, dict[str, Elements]] = {}
    for file in held:
        if watch is not None:
            watch(f"Reading the elements of {file.name}")
        found[file.name] = _elements(file, many=total > LITTLE)
    return SavedValues(found, total)


def _optimizers(checkpoint: Checkpoint) -> list[StoredFile]:
    """Return the files of what the optimizer remembers, from which a training may go on."""
    named = (f for f in checkpoint.files if f.name.rpartition("/")[2].startswith("optimizer"))
    taken = {file.name for file in checkpoint.weights}
    return [f for f in named if f.contents.verdict in JUDGED and f.sound and f.name not in taken]


def _elements(file: StoredFile, *, many: bool) -> dict[str, Elements]:
    try:
        with files.opened(file.path) as source:
            return {
                name: elements.look(source, tensor, many=many)
                for name, tensor in file.contents.tensors.items()
                if elements.readable(tensor)
            }
    except OSError as error:
        raise Unavailable(f"{file.path} can't be read: {error.strerror}") from None


def _described(entry: Mapping[str, Any]) -> SavedValues:
    listed = entry.get("elements")
    if not isinstance(listed, Mapping):
        raise Unavailable("the elements of the checkpoint that was described are not known")
    return SavedValues(
        {
            file: {name: Elements(**fields) for name, fields in tensors.items()}
            for file, tensors in listed.items()
        }
    )

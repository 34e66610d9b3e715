"""The elements of a checkpoint's weights: read where that is asked for, or costs little."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipedoctor.checkpoints.contents import Verdict
from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts.checkpoint import Checkpoint, StoredFile
from pipedoctor.facts.saved_values import Elements, SavedValues
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes import files
from pipedoctor.probes.checkpoint import NAME

LITTLE = 64_000_000
"""Weights of so many bytes are read unasked: measured, a tenth of a second and less."""


@probe(SavedValues, Cost.FILES, "files")
def saved_values(pipeline: Pipeline, _split: Split) -> SavedValues:
    """Read every element of the weights, or take them as they are described."""
    entry = files.given(pipeline, NAME)
    if isinstance(entry, Mapping):
        return _described(entry)
    checkpoint = pipeline.fact(Checkpoint)
    held = [f for f in checkpoint.weights if f.contents.verdict is Verdict.ALLOWED and f.sound]
    held = [file for file in held if not file.index]
    if not held:
        raise Unavailable("it holds no weights whose elements can be read here")
    watch = pipeline.parts["scan"] if "scan" in pipeline.parts else None
    total = sum(file.size for file in held)
    if watch is None and total > LITTLE:
        raise Unavailable("needs --scan: every element is read")
    elements: dict[str, dict[str, Elements]] = {}
    for file in held:
        if watch is not None:
            watch(f"Reading the elements of {file.name}")
        elements[file.name] = _elements(file)
    return SavedValues(elements, total)


def _elements(file: StoredFile) -> dict[str, Elements]:
    raise Unavailable("not merged yet")


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

"""A checkpoint that is described instead of read, as in the manual's examples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pipedoctor.checkpoints.contents import Contents, Flaw, FlawKind, StoredTensor, Verdict
from pipedoctor.fact import UNKNOWN
from pipedoctor.facts.checkpoint import WEIGHTS, Checkpoint, StoredFile
from pipedoctor.probes.checkpoint import CONFIG, kind_of


def described(entry: Mapping[str, Any]) -> Checkpoint:
    """
    Return a checkpoint as a snippet describes it.

    Either `tensors` of one file, by type and shape, or `files` by their names, each with the
    fields of `Contents` that matter, `flaws` as a kind, a message and perhaps a tensor.
    """
    listed = entry.get("files")
    if listed is None:
        name = "adapter_model.safetensors" if entry.get("kind") == "adapter" else WEIGHTS[2]
        listed = {name: {"tensors": entry.get("tensors", {})}}
    held = tuple(_described_file(name, fields) for name, fields in listed.items())
    names = {file.name for file in held} | set(entry.get("beside", {}))
    base = entry.get("base")
    return Checkpoint(
        str(entry.get("path", "checkpoint")),
        str(entry.get("kind") or kind_of(names | {CONFIG})),
        held,
        missing=tuple(entry.get("missing", ())),
        config=entry.get("config", UNKNOWN),
        state=entry.get("state", UNKNOWN),
        tokens=entry.get("tokens", UNKNOWN),
        base=described(base) if isinstance(base, Mapping) else UNKNOWN,
        beside=entry.get("beside", {}),
        weight_map=entry.get("weight_map", UNKNOWN),
        tag=entry.get("tag", UNKNOWN),
        unread=entry.get("unread", {}),
    )


def _described_file(name: str, fields: Mapping[str, Any]) -> StoredFile:
    from pipedoctor.checkpoints.naming import TORCH
    from pipedoctor.probes.safetensors import BYTES

    tensors = {
        tensor: StoredTensor(
            tuple(shape), dtype, bytes=BYTES.get(dtype, 1) * _product(shape), storage=tensor
        )
        for tensor, (dtype, shape) in fields.get("tensors", {}).items()
    }
    contents = Contents(
        str(
            fields.get("format", "PyTorch zip archive" if name.endswith(TORCH) else "safetensors")
        ),
        Verdict(fields.get("verdict", "allowed")),
        reason=str(fields.get("reason", "")),
        offender=str(fields.get("offender", "")),
        offset=fields.get("offset"),
        tensors=tensors,
        values=fields.get("values", {}),
        metadata=fields.get("metadata", {}),
        flaws=tuple(Flaw(FlawKind(kind), *more) for kind, *more in fields.get("flaws", ())),
        whole_model=bool(fields.get("whole_model", False)),
    )
    size = sum(tensor.bytes or 0 for tensor in tensors.values())
    return StoredFile(name, name, int(fields.get("size", size)), contents)


def _product(shape: Iterable[int]) -> int:
    product = 1
    for size in shape:
        product *= size
    return product

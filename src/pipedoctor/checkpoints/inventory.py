"""What a checkpoint holds, as plain figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from pipedoctor.checkpoints.contents import Contents, StoredTensor
from pipedoctor.fact import Unavailable
from pipedoctor.facts.checkpoint import Checkpoint, StoredFile, parameters

LARGEST = 5
"""So many tensors are named by their size."""
MOST_VALUES = 200
"""More plain values of a file than this are not shown."""


def inventory(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return the figures of a checkpoint: of each file, and of its weights as a whole."""
    held = [file for file in checkpoint.weights if not file.index]
    if checkpoint.kind != "file":
        held = [file for file in held if not file.part]
    tensors = [
        (file, name, tensor) for file in held for name, tensor in file.contents.tensors.items()
    ]
    told: dict[str, Any] = {
        "path": checkpoint.path,
        "kind": checkpoint.kind,
        "bytes": checkpoint.size,
        "files": [_file(file) for file in checkpoint.files],
        "missing": list(checkpoint.missing),
        "tensors": len(tensors),
        "parameters": sum(parameters(file.contents.tensors) for file in held),
        "dtypes": dict(_dtypes(file.contents for file in held)),
        "largest": [
            _tensor(file, name, tensor)
            for file, name, tensor in sorted(
                tensors, key=lambda entry: (-entry[2].size, entry[1])
            )[:LARGEST]
        ],
        "shared": [names for file in held for names in shared(file.contents.tensors)],
        "architecture": None,
        "step": None,
        "tensor_list": [_tensor(*entry) for entry in tensors],
    }
    if checkpoint.known("beside"):
        told["beside"] = dict(checkpoint.beside)
    if checkpoint.known("config"):
        named = checkpoint.config.get("architectures")
        told["architecture"] = str(named[0]) if isinstance(named, list) and named else None
    if checkpoint.known("state"):
        step = checkpoint.state.get("global_step")
        told["step"] = step if type(step) is int else None
    try:
        told["base"] = checkpoint.base.path
    except Unavailable as reason:
        if checkpoint.kind == "adapter":
            told["base_unavailable"] = str(reason)
    return told


def shared(tensors: Mapping[str, StoredTensor]) -> list[list[str]]:
    """Return the groups of names that stand for the same memory."""
    groups: dict[tuple[object, ...], list[str]] = {}
    for name, tensor in tensors.items():
        if tensor.storage:
            key = (tensor.storage, tensor.offset, tensor.shape)
            groups.setdefault(key, []).append(name)
    return [names for names in groups.values() if len(names) > 1]


def _dtypes(held: Iterator[Contents]) -> Counter[str]:
    """Return the elements of each type, the most first."""
    counted: Counter[str] = Counter()
    for contents in held:
        for tensor in contents.tensors.values():
            counted[tensor.dtype] += tensor.size
    return Counter(dict(counted.most_common()))


def _tensor(file: StoredFile, name: str, tensor: StoredTensor) -> dict[str, Any]:
    return {
        "name": name,
        "dtype": tensor.dtype,
        "shape": list(tensor.shape),
        "bytes": tensor.bytes,
        "file": file.name,
    }


def _file(file: StoredFile) -> dict[str, Any]:
    contents = file.contents
    values = dict(list(contents.values.items())[:MOST_VALUES])
    return {
        "name": file.name,
        "bytes": file.size,
        "format": contents.format,
        "verdict": contents.verdict.value,
        "reason": contents.reason,
        "offender": contents.offender,
        "offset": contents.offset,
        "tensors": len(contents.tensors),
        "parameters": parameters(contents.tensors),
        "metadata": dict(contents.metadata),
        "values": values,
        "flaws": [
            {"kind": f.kind.value, "message": f.message, "tensor": f.tensor, "offset": f.offset}
            for f in contents.flaws
        ],
    }

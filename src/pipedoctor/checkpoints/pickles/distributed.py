"""The `.metadata` of a distributed checkpoint: which tensors it has, and in which files they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipedoctor.checkpoints.contents import Contents, StoredTensor
from pipedoctor.checkpoints.pickles.nodes import Call, Global, Pairs
from pipedoctor.checkpoints.pickles.rebuilding import DTYPES, ints
from pipedoctor.checkpoints.pickles.walking import Walk

_MODULE = "torch.distributed.checkpoint.metadata"
_FILES = "torch.distributed.checkpoint.filesystem"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tensor, a piece of one, or another object stands: `length` bytes of a file."""

    file: str
    name: str
    offset: int
    length: int


def places(found: Walk) -> Iterator[Place]:
    """Yield where each of its entries is."""
    assert isinstance(found.top, Call)
    for index, place in _pairs(_fields(found.top).get("storage_data")):
        where = _fields(place)
        path, offset, length = (where.get(k) for k in ("relative_path", "offset", "length"))
        if type(path) is str and type(offset) is int and type(length) is int:
            name = _fields(index).get("fqn")
            yield Place(path, name if type(name) is str else "", offset, length)


def is_metadata(top: object) -> bool:
    """Whether an object is the list of a distributed checkpoint."""
    return type(top) is Call and top.named(_MODULE, "Metadata")


def contents(found: Walk) -> Contents:
    """Return its tensors; `metadata` says how many bytes each of its files must have."""
    assert isinstance(found.top, Call)
    told = _fields(found.top)
    files: dict[str, int] = {}
    for place in places(found):
        files[place.file] = max(files.get(place.file, 0), place.offset + place.length)
    tensors: dict[str, StoredTensor] = {}
    others: list[str] = []
    for name, entry in _pairs(told.get("state_dict_metadata")):
        if type(name) is not str:
            continue
        tensor = _tensor(entry)
        if tensor is None:
            others.append(name)
        else:
            tensors[name] = tensor
    judgement = found.judgement
    return Contents(
        format="PyTorch distributed checkpoint's metadata",
        verdict=judgement.verdict,
        reason=judgement.reason,
        offender=judgement.offender,
        offset=judgement.offset,
        whole_model=judgement.whole_model,
        tensors=tensors,
        metadata={"files": files, "objects": tuple(others), "protocol": found.machine.protocol},
        flaws=tuple(found.flaws),
    )


def _pairs(node: object) -> list[tuple[object, object]]:
    if type(node) is not Pairs:
        return []
    return list(zip(node[::2], node[1::2], strict=False))


def _fields(node: object) -> dict[str, object]:
    """Return the attributes that an object's state sets."""
    if type(node) is not Call:
        return {}
    return {key: value for key, value in _pairs(node.state) if type(key) is str}


def _tensor(entry: object) -> StoredTensor | None:
    if type(entry) is not Call or not entry.named(_MODULE, "TensorStorageMetadata"):
        return None
    told = _fields(entry)
    shape = ints(told.get("size"))
    properties = told.get("properties")
    state = properties.state if type(properties) is Call else None
    dtype: object = _fields(properties).get("dtype")
    if isinstance(state, tuple) and state:  # it pickles its fields as a row, the dtype first
        dtype = state[0]
    if shape is None or type(dtype) is not Global or dtype.module != "torch":
        return None
    name, width = DTYPES.get(dtype.name, (dtype.name, None))
    plain = StoredTensor(shape, name)
    return StoredTensor(shape, name, bytes=plain.size * width if width else None)

"""A small valid file of each format, put together byte by byte, with a knob for what may be wrong."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from checkpoints.archives import Entry, zipped
from checkpoints.opcodes import glob, plain, text, whole

from pipedoctor.checkpoints import sstable
from pipedoctor.checkpoints.pickles.legacy import MAGIC

Shapes = Mapping[str, tuple[int, ...]]

SHAPES: Shapes = {"embed.weight": (8, 4), "layer.bias": (3,), "layer.weight": (3, 4)}

LFS = (
    b"version https://git-lfs.github.com/spec/v1\noid sha256:"
    + b"4d7a2146" * 8
    + b"\nsize 437955512\n"
)
HTML = b"<!DOCTYPE html>\n<html><head><title>Not Found</title></head><body>404</body></html>\n"
JSON = b'{"error": "Repository not found"}'


def elements(count: int, first: float = 0.5) -> bytes:
    """So many float32, each another."""
    return struct.pack(f"<{count}f", *(first + n for n in range(count)))


def size(shape: Sequence[int]) -> int:
    """The number of elements."""
    product = 1
    for each in shape:
        product *= each
    return product


def table(shapes: Shapes = SHAPES) -> dict[str, Any]:
    """The header of a safetensors file, as an object."""
    found: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, shape in shapes.items():
        found[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + 4 * size(shape)]}
        at += 4 * size(shape)
    return found


def headed(header: object, data: bytes, *, length: int | None = None) -> bytes:
    """A safetensors file with any header, which may be bytes, and state any length."""
    written = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(written) if length is None else length) + written + data


def safetensors(shapes: Shapes = SHAPES) -> bytes:
    return headed(table(shapes), b"".join(elements(size(shape)) for shape in shapes.values()))


def changed(**entries: Any) -> bytes:
    """A safetensors file, an entry of which is another: by name with "_" for "."."""
    header = table()
    for name, change in entries.items():
        header[name.replace("_", ".")] |= change
    return headed(header, elements(sum(map(size, SHAPES.values()))))


def _tensor(key: str, shape: Sequence[int]) -> bytes:
    strides = [size(shape[n + 1 :]) for n in range(len(shape))]
    storage = (
        b"("
        + text("storage")
        + glob("torch", "FloatStorage")
        + text(key)
        + text("cpu")
        + plain(size(shape))
    )
    return (
        glob("torch._utils", "_rebuild_tensor_v2")
        + b"("
        + storage
        + b"tQ"
        + plain(0)
        + plain(tuple(shape))
        + plain(tuple(strides))
        + plain(False)
        + glob("collections", "OrderedDict")
        + b")RtR"
    )


def state_dict(shapes: Shapes = SHAPES) -> bytes:
    """The pickle of a dict of tensors, which names their storages by numbers."""
    entries = (
        text(name) + _tensor(str(n), shape) + b"s"
        for n, (name, shape) in enumerate(shapes.items())
    )
    return whole(b"}" + b"".join(entries))


def torch_entries(shapes: Shapes = SHAPES, pickled: bytes | None = None) -> list[Entry]:
    """The members of an archive as torch.save writes it."""
    return [
        Entry("archive/data.pkl", state_dict(shapes) if pickled is None else pickled),
        Entry("archive/byteorder", b"little"),
        *(
            Entry(f"archive/data/{n}", elements(size(shape)))
            for n, shape in enumerate(shapes.values())
        ),
        Entry("archive/version", b"3\n"),
    ]


def torch_zip(shapes: Shapes = SHAPES) -> bytes:
    return zipped(*torch_entries(shapes))


def legacy(
    shapes: Shapes = SHAPES, *, version: int = 1001, data: bytes | None = None, more: bytes = b""
) -> bytes:
    machine = {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}
    keys = [str(n) for n in range(len(shapes))]
    pickles = [whole(plain(value)) for value in (MAGIC, version, machine)]
    memory = b"".join(struct.pack("<q", size(s)) + elements(size(s)) for s in shapes.values())
    return (
        b"".join(pickles)
        + state_dict(shapes)
        + whole(plain(keys))
        + (memory if data is None else data)
        + more
    )


def npy(shape: Sequence[int] = (3, 4), *, descr: str = "<f4", data: bytes | None = None) -> bytes:
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {tuple(shape)}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    body = elements(size(shape)) if data is None else data
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + body


def npz() -> bytes:
    return zipped(Entry("a.npy", npy()), Entry("b.npy", npy((5,))))


def gguf_text(value: str, width: str = "Q") -> bytes:
    return struct.pack(f"<{width}", len(value.encode())) + value.encode()


def gguf_value(name: str, kind: int, value: bytes) -> bytes:
    return gguf_text(name) + struct.pack("<I", kind) + value


def gguf_tensor(name: str, shape: Sequence[int], kind: int, begin: int, width: str = "Q") -> bytes:
    sizes = struct.pack(f"<{len(shape)}{width}", *reversed(shape))
    return (
        gguf_text(name, width)
        + struct.pack("<I", len(shape))
        + sizes
        + struct.pack("<IQ", kind, begin)
    )


GGUF_VALUES = (
    gguf_value("general.architecture", 8, gguf_text("llama")),
    gguf_value("llama.context_length", 4, struct.pack("<I", 64)),
    gguf_value(
        "tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, 2) + gguf_text("a") + gguf_text("b")
    ),
)
GGUF_TENSORS = (gguf_tensor("a", (2, 4), 0, 0), gguf_tensor("b", (4,), 0, 32))


def gguf(  # noqa: PLR0917 - each is one thing that a header states
    values: Sequence[bytes] = GGUF_VALUES,
    tensors: Sequence[bytes] = GGUF_TENSORS,
    data: bytes = elements(12),
    version: int = 3,
    counts: tuple[int, int] | None = None,
    alignment: int = 32,
) -> bytes:
    width = "I" if version == 1 else "Q"
    stated = counts or (len(tensors), len(values))
    header = b"GGUF" + struct.pack(f"<I2{width}", version, *stated)
    header += b"".join(values) + b"".join(tensors)
    return header + b"\0" * (-len(header) % alignment) + data


def varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


def field(number: int, value: int | bytes) -> bytes:
    """A field of a protocol buffer."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def _block(entries: Sequence[tuple[bytes, bytes]], kind: int = 0) -> bytes:
    body = b"".join(
        b"\0" + varint(len(name)) + varint(len(value)) + name + value for name, value in entries
    )
    body += struct.pack("<II", 0, 1) + bytes([kind])
    summed = sstable.crc32c(body)
    masked = ((summed >> 15 | summed << 17) + 0xA282EAD8) & 0xFFFFFFFF
    return body + struct.pack("<I", masked)


def tf_index(
    shapes: Shapes = SHAPES, *, shard: int = 0, dtype: int = 1, longer: int = 0, kind: int = 0
) -> bytes:
    """TensorFlow's list of tensors; the data beside it are their elements."""
    entries, at = [(b"", field(1, 1))], 0
    for name, shape in sorted(shapes.items()):
        length = 4 * size(shape) + longer
        dimensions = b"".join(field(2, field(1, each)) for each in shape)
        entry = field(1, dtype) + field(2, dimensions) + field(3, shard) + field(4, at)
        entries.append((name.encode(), entry + field(5, length)))
        at += length
    block = _block(entries, kind)
    meta = _block([])
    handle = varint(0) + varint(len(block) - 5)
    index = _block([(b"z", handle)])
    footer = varint(len(block)) + varint(len(meta) - 5)
    footer += varint(len(block) + len(meta)) + varint(len(index) - 5)
    return block + meta + index + footer.ljust(40, b"\0") + bytes.fromhex("57fb808b247547db")


def tf_data(shapes: Shapes = SHAPES) -> bytes:
    return b"".join(elements(size(shape)) for _, shape in sorted(shapes.items()))


def metadata(*, evil: bytes = b"", length: int = 24) -> bytes:
    """The list of a distributed checkpoint of one tensor in one file."""
    listed, filed = (
        "torch.distributed.checkpoint.metadata",
        "torch.distributed.checkpoint.filesystem",
    )

    def made(module: str, name: str, state: bytes) -> bytes:
        return glob(module, name) + b")\x81" + state + b"b"

    def table_of(**fields: bytes) -> bytes:
        return b"}" + b"".join(text(name) + value + b"s" for name, value in fields.items())

    shape = glob("torch", "Size") + plain((2, 3)) + b"\x85R"
    properties = made(listed, "TensorProperties", b"(" + glob("torch", "float32") + b"N\x89N\x89t")
    tensor = made(
        listed,
        "TensorStorageMetadata",
        table_of(properties=properties, size=shape, chunks=b"]"),
    )
    index = made(listed, "MetadataIndex", table_of(fqn=text("w"), index=plain(0)))
    place = made(
        filed,
        "_StorageInfo",
        table_of(relative_path=text("__0_0.distcp"), offset=plain(0), length=plain(length)),
    )
    top = made(
        listed,
        "Metadata",
        table_of(
            state_dict_metadata=b"}" + text("w") + tensor + b"s",
            planner_data=evil or b"}",
            storage_data=b"}" + index + place + b"s",
        ),
    )
    return whole(top, 4)


VALID: dict[str, bytes] = {
    "model.safetensors": safetensors(),
    "pytorch_model.bin": torch_zip(),
    "legacy.pt": legacy(),
    "array.npy": npy(),
    "arrays.npz": npz(),
    "model.gguf": gguf(),
    "old.gguf": gguf((), (gguf_tensor("a", (2, 4), 0, 0, "I"),), elements(8), version=1),
    "model.index": tf_index(),
    ".metadata": metadata(),
}
"""One valid file of each format; `model.index` wants its data beside it."""

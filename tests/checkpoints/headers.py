"""The largest headers: what a reader must bound, in files that take little room on the disk."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path

from checkpoints import fixtures as f
from checkpoints.archives import zipped
from checkpoints.opcodes import text, whole


def sparse(path: Path, tensors: int = 320, size: int = 5_000_000_000) -> None:
    """Write safetensors of so many bytes, of which only the header takes room."""
    each = size // tensors // 4
    header = {
        f"model.layers.{n}.weight": {
            "dtype": "F32",
            "shape": [each],
            "data_offsets": [4 * each * n, 4 * each * (n + 1)],
        }
        for n in range(tensors)
    }
    written = f.headed(header, b"")
    with path.open("wb") as file:
        file.write(written)
        file.truncate(len(written) + 4 * each * tensors)


def many(path: Path, tensors: int = 200_000) -> None:
    """Write safetensors of many small tensors."""
    path.write_bytes(
        f.safetensors({f"model.layers.{n}.self_attn.q": (2,) for n in range(tensors)})
    )


def _headed(path: Path, header: bytes) -> None:
    path.write_bytes(struct.pack("<Q", len(header)) + header)


def tiny(path: Path) -> None:
    entry = b'"%07d":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}'
    _headed(path, b"{" + b",".join(entry % n for n in range(1_600_000)) + b"}")


def name(path: Path) -> None:
    _headed(path, b'{"' + b"a" * 99_000_000 + b'":1}')


def lists(path: Path) -> None:
    _headed(path, b'{"a":[' + b"[]," * 33_000_000 + b"1]}")


def described(path: Path) -> None:
    entries = b",".join(b'"%d":""' % n for n in range(7_000_000))
    _headed(path, b'{"__metadata__":{' + entries + b"}}")


def gguf_tensors(path: Path) -> None:
    one = [f.gguf_tensor(f"{n:0160d}", (8,), 0, 32 * n) for n in range(100_000)]
    path.write_bytes(f.gguf((), one, b"\0" * 3_200_000))


def gguf_values(path: Path) -> None:
    long = f.gguf_text("x" * 2000)
    path.write_bytes(
        f.gguf([f.gguf_value(f"{n:0150d}", 8, long) for n in range(100_000)], (), b"")
    )


def gguf_texts(path: Path) -> None:
    texts = struct.pack("<IQ", 8, 5_000_000) + f.gguf_text("a") * 5_000_000
    path.write_bytes(f.gguf((f.gguf_value("x", 9, texts),), (), b""))


def gguf_arrays(path: Path) -> None:
    arrays = struct.pack("<IQ", 9, 100_000) + struct.pack("<IQ", 8, 0) * 100_000
    path.write_bytes(f.gguf((f.gguf_value("x", 9, arrays),), (), b""))


def index(path: Path) -> None:
    table = {f"model.layers.{n}.self_attn.q": "a.safetensors" for n in range(600_000)}
    path.write_text(json.dumps({"metadata": {}, "weight_map": table}))


def state_dict(path: Path) -> None:
    path.write_bytes(f.torch_zip({f"model.layers.{n}.self_attn.q": (2,) for n in range(60_000)}))


def texts(path: Path) -> None:
    entries = b"".join(text(f"{n:020d}") + text("x" * 40) + b"s" for n in range(300_000))
    path.write_bytes(zipped(*f.torch_entries({}, whole(b"}" + entries))))


def tensorflow(path: Path) -> None:
    path.write_bytes(f.tf_index({f"{n:0200d}": (2,) for n in range(17_000)}))


LARGEST: dict[str, Callable[[Path], None]] = {
    "sparse.safetensors": sparse,
    "many.safetensors": many,
    "tiny.safetensors": tiny,
    "name.safetensors": name,
    "lists.safetensors": lists,
    "described.safetensors": described,
    "tensors.gguf": gguf_tensors,
    "values.gguf": gguf_values,
    "texts.gguf": gguf_texts,
    "arrays.gguf": gguf_arrays,
    "model.safetensors.index.json": index,
    "pytorch_model.bin": state_dict,
    "texts.bin": texts,
    "model.index": tensorflow,
}

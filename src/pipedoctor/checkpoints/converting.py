"""
Weights of a pickle written as a safetensors file, without unpickling: bytes are copied.

The reader tells where in the file each tensor's elements lie. They are copied to a draft beside
the new file, the draft is read again and compared, and only then takes the name.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import BinaryIO, Literal

from pipedoctor.checkpoints import formats
from pipedoctor.checkpoints.contents import StoredTensor, Verdict
from pipedoctor.checkpoints.inventory import shared
from pipedoctor.facts.checkpoint import Checkpoint, StoredFile

METADATA = "__metadata__"
CHUNK = 1 << 24
ALIGNED = 8

SIZES = {
    **dict.fromkeys(("F64", "I64", "U64", "C64"), 8),
    **dict.fromkeys(("F32", "I32", "U32"), 4),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 2),
    **dict.fromkeys(("I8", "U8", "BOOL", "F8_E4M3", "F8_E5M2"), 1),
}
"""The types that the new file can hold, by the bytes of an element."""

WRAPPERS = ("state_dict.", "model_state_dict.")
"""Keys under which training loops keep the weights beside the rest; no model has such a name."""

VIEWS: dict[int, Literal["B", "H", "I", "Q"]] = {1: "B", 2: "H", 4: "I", 8: "Q"}


class Refused(Exception):  # noqa: N818 - it is no error: the file can't be converted as it is
    """The weights can't be converted, and why, in one sentence."""


@dataclass(frozen=True)
class Piece:
    """One tensor on its way: from where, under which name."""

    file: StoredFile
    name: str
    tensor: StoredTensor


@dataclass
class Converted:
    """What was written: `tied` are names that were left out, with those that stand for them."""

    path: str
    bytes: int = 0
    tensors: int = 0
    tied: dict[str, str] = field(default_factory=dict)
    left_out: int = 0
    prefix: str = ""


def convert(
    checkpoint: Checkpoint,
    out: str,
    *,
    overwrite: bool = False,
    watch: Callable[[str], None] = lambda _doing: None,
) -> Converted:
    """
    Write the weights of a checkpoint as one safetensors file.

    Raises:
        Refused: They can't be, or the file is there already.
        OSError: It can't be written.

    """
    pieces, told = _pieces(checkpoint, out)
    entries: dict[str, object] = {}
    begin = 0
    for piece in pieces:
        length = piece.tensor.size * SIZES[piece.tensor.dtype]
        entries[piece.name] = {
            "dtype": piece.tensor.dtype,
            "shape": list(piece.tensor.shape),
            "data_offsets": [begin, begin + length],
        }
        begin += length
    header = _header({"format": "pt", **told.tied}, entries)
    draft = f"{out}.{os.getpid()}.tmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    opened = os.open(draft, flags, 0o666)  # what is there already is not ours to delete
    try:
        with os.fdopen(opened, "wb") as file:
            file.write(header)
            sums = [_copy(piece, file, watch) for piece in pieces]
            file.flush()
            os.fsync(file.fileno())
        watch("Reading again what was written")
        _verify(draft, pieces, sums)
        _put(draft, out, overwrite=overwrite)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(draft)
    told.bytes, told.tensors = len(header) + begin, len(pieces)
    return told


def _pieces(checkpoint: Checkpoint, out: str) -> tuple[list[Piece], Converted]:
    """Return the tensors to copy, the largest elements first so that all are aligned."""
    files = [file for file in checkpoint.weights if not file.index]
    _refuse(files)
    told = Converted(out)
    every = [Piece(f, name, t) for f in files for name, t in f.contents.tensors.items()]
    for wrapper in WRAPPERS:
        inside = [piece for piece in every if piece.name.startswith(wrapper)]
        if inside:
            told.prefix, told.left_out = wrapper, len(every) - len(inside)
            every = [Piece(p.file, p.name.removeprefix(wrapper), p.tensor) for p in inside]
            break
    for file in files:
        own = {p.name: p.tensor for p in every if p.file is file}
        for kept, *others in shared(own):
            told.tied |= dict.fromkeys(others, kept)
    every = [piece for piece in every if piece.name not in told.tied]
    odd = [p for p in every if not _copiable(p.tensor)]
    packed = next((p for p in odd if _packed(p)), None)
    if packed is not None:
        path = json.dumps(packed.file.path)
        raise Refused(
            f"{packed.file.name} is compressed, as torch.save never leaves it: write it anew with "
            f"torch.save(torch.load({path}), {path}), then convert it"
        )
    if odd:
        raise Refused(
            f"{odd[0].name} can't be copied: it is of type {odd[0].tensor.dtype}, or its elements "
            f"do not lie together in the file ({len(odd)} such of {len(every)} tensors)"
        )
    names = {piece.name for piece in every}
    if len(names) < len(every) or not every:
        raise Refused("its files hold no tensors, or some of the same name")
    strange = [name for name in names if name == METADATA or not _writable(name)]
    if strange:
        raise Refused(f"no tensor of a safetensors file can be named {strange[0]!r}")
    every.sort(key=lambda piece: (-SIZES[piece.tensor.dtype], piece.name))
    return every, told


def _refuse(files: Sequence[StoredFile]) -> None:
    if not files:
        raise Refused("it holds no weights")
    for file in files:
        contents = file.contents
        if contents.format == "safetensors":
            raise Refused(f"{file.name} is a safetensors file already")
        if contents.verdict is not Verdict.ALLOWED:
            why = contents.offender or contents.reason or "see the report without --convert"
            raise Refused(f"the verdict on {file.name} is {contents.verdict.value}: {why}")
        if "pytorch" not in contents.format.lower():
            raise Refused(f"{file.name} is a {contents.format}; only files of torch are converted")
        if file.state:
            raise Refused(f"{file.name} holds the state of a training, no weights")


def _copiable(tensor: StoredTensor) -> bool:
    size = SIZES.get(tensor.dtype)
    return size is not None and (
        not tensor.size or (tensor.offset is not None and tensor.bytes == tensor.size * size)
    )


def _packed(piece: Piece) -> bool:
    """Whether only the compression of its archive stands in the way of a tensor."""
    held = piece.file.contents
    zipped = held.format == "PyTorch zip archive" and held.metadata.get("byteorder") != "big"
    plain = piece.tensor.dtype in SIZES and piece.tensor.strides is None
    return zipped and plain and piece.tensor.offset is None


def _writable(name: str) -> bool:
    try:
        return bool(name.encode())
    except UnicodeEncodeError:
        return False


def _header(metadata: dict[str, str], entries: dict[str, object]) -> bytes:
    text = json.dumps(
        {METADATA: metadata, **entries}, separators=(",", ":"), ensure_ascii=False
    ).encode()
    text += b" " * (-len(text) % ALIGNED)
    return len(text).to_bytes(8, "little") + text


def _copy(piece: Piece, out: BinaryIO, watch: Callable[[str], None]) -> int:
    """Copy the elements of a tensor; return their checksum."""
    checksum = 0
    watch(f"Copying {piece.name}")
    for chunk in _elements(piece):
        checksum = zlib.crc32(chunk, checksum)
        out.write(chunk)
    return checksum


def _elements(piece: Piece) -> Iterator[bytes]:
    """Yield the bytes of a tensor, row by row."""
    tensor = piece.tensor
    length = tensor.size * SIZES[tensor.dtype]
    if not length:
        return
    assert tensor.offset is not None  # _copiable asks for it
    with open(piece.file.path, "rb") as file:
        file.seek(tensor.offset)
        if tensor.strides is not None:
            data = file.read(length)
            if len(data) < length:
                raise Refused(f"{piece.file.name} has become shorter while it was read")
            view = memoryview(data).cast(VIEWS[SIZES[tensor.dtype]])
            yield from _rows(view, tensor.shape, tensor.strides)
            return
        while length:
            data = file.read(min(CHUNK, length))
            if not data:
                raise Refused(f"{piece.file.name} has become shorter while it was read")
            length -= len(data)
            yield data


def _rows(
    view: memoryview, shape: Sequence[int], strides: Sequence[int], begin: int = 0
) -> Iterator[bytes]:
    if len(shape) == 1:
        step = strides[0] or 1
        yield view[begin : begin + (shape[0] - 1) * step + 1 : step].tobytes()
        return
    for index in range(shape[0]):
        yield from _rows(view, shape[1:], strides[1:], begin + index * strides[0])


def _verify(draft: str, pieces: Sequence[Piece], sums: Sequence[int]) -> None:
    """Read the draft as any other file, and compare header and elements."""
    found = formats.read(draft)
    if found.flaws or len(found.tensors) != len(pieces):
        raise Refused("what was written can't be read again; nothing was kept of it")
    with open(draft, "rb") as file:
        for piece, expected in zip(pieces, sums, strict=True):
            written = found.tensors.get(piece.name)
            same = written is not None and written.shape == piece.tensor.shape
            checksum = 0
            if written is not None and written.size:
                file.seek(written.offset or 0)
                left = written.bytes or 0
                while left and (data := file.read(min(CHUNK, left))):
                    checksum = zlib.crc32(data, checksum)
                    left -= len(data)
            if not same or checksum != expected:
                raise Refused(f"{piece.name} was not written as it was read; nothing was kept")


def _put(draft: str, out: str, *, overwrite: bool) -> None:
    """Give the draft its name; without leave, only if nothing has it."""
    if overwrite:
        os.replace(draft, out)
    else:
        try:
            os.link(draft, out)
        except FileExistsError:
            raise Refused(f"{out} is there already; --overwrite replaces it") from None
        except OSError:  # a file system without links
            if os.path.lexists(out):
                raise Refused(f"{out} is there already; --overwrite replaces it") from None
            os.replace(draft, out)
    with suppress(OSError):
        folder = os.open(os.path.dirname(out) or os.curdir, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

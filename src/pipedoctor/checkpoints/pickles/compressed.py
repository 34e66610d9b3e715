"""Pickles inside one compressed stream, as joblib writes them; other packings are told by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from io import BufferedReader, RawIOBase
from typing import Any, BinaryIO

from pipedoctor.checkpoints import safetensors
from pipedoctor.checkpoints.contents import Contents, Flaw, FlawKind, Verdict
from pipedoctor.checkpoints.pickles import pickle_file
from pipedoctor.checkpoints.pickles.limits import Budget, Unreadable

_CHUNK = 65536
_SHORTEST = 6  # bytes that tell each packing from the others
_MEMORY = 64 * 2**20  # what xz may take: its header says how much, and can say anything
_OTHERS = {
    b"7z\xbc\xaf\x27\x1c": "7z archive",
    b"Rar!\x1a\x07": "RAR archive",
    b"\x28\xb5\x2f\xfd": "Zstandard stream",
    b"\x04\x22\x4d\x18": "LZ4 stream",
    b"ZF": "joblib file of before 0.10",
}


_HEAD = 512
_ZIP = "PyTorch zip archive"
_FORMATS = {
    b"PK\x03\x04": _ZIP,
    b"\x89HDF\r\n\x1a\n": "HDF5 file",
    b"GGUF": "GGUF file",
    b"\x93NUMPY": "NumPy array",
}
_UNPACK = {
    "gzip": "gunzip it first",
    "bzip2": "bunzip2 it first",
    "xz": "unxz it first",
}
"""How each is unpacked."""


def _zlib() -> Any:
    import zlib

    return zlib.decompressobj(47)  # zlib or gzip, whichever it is


def _bzip2() -> Any:
    import bz2

    return bz2.BZ2Decompressor()


def _xz() -> Any:
    import lzma

    return lzma.LZMADecompressor(memlimit=_MEMORY)


_STREAMS: dict[bytes, tuple[str, Callable[[], Any]]] = {
    b"\x1f\x8b": ("gzip", _zlib),
    b"x\x01": ("zlib", _zlib),
    b"x\x5e": ("zlib", _zlib),
    b"x\x9c": ("zlib", _zlib),
    b"x\xda": ("zlib", _zlib),
    b"BZh": ("bzip2", _bzip2),
    b"\xfd7zXZ": ("xz", _xz),
    b"\x5d\x00\x00": ("lzma", _xz),
}


class Unpacked(RawIOBase):
    """The unpacked bytes of a file, one piece at a time: none is kept."""

    def __init__(self, file: BinaryIO, opener: Callable[[], Any], budget: Budget) -> None:
        """Unpack `file` from where it stands."""
        self.file = file
        self.opener = opener
        self.budget = budget
        self.stream = opener()
        self.place = 0
        self.rest = b""
        self.whole = False
        """Whether the end that the stream itself marks was reached."""

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        """Tell where it stands; it can't go anywhere else."""
        if (offset, whence) != (0, 1):
            raise OSError("a stream isn't read twice")
        return self.place

    def readinto(self, buffer: Any) -> int:
        """Unpack the next piece."""
        try:
            piece = self._next(len(buffer))
        except Exception as error:  # noqa: BLE001 - each library has errors of its own
            message = f"it can't be unpacked after {self.place:,} bytes: {error}"
            raise Unreadable(FlawKind.TRUNCATED, message, self.place) from None
        self.budget.tick()
        buffer[: len(piece)] = piece
        self.place += len(piece)
        return len(piece)

    def _next(self, most: int) -> bytes:
        while True:
            if self.stream.eof:
                self.rest = self.stream.unused_data + self.rest
                self.rest = self.rest or self.file.read(_CHUNK)
                self.whole = True
                if not self.rest:
                    return b""
                self.stream = self.opener()
                self.budget.tick()  # empty streams, one after the other, give nothing to read
            needs = getattr(self.stream, "needs_input", True)
            if needs and not self.rest:
                self.rest = self.file.read(_CHUNK)
                if not self.rest:
                    return b""
            self.whole = False
            piece: bytes = self.stream.decompress(self.rest, most)
            self.rest = getattr(self.stream, "unconsumed_tail", b"")
            if piece:
                return piece


def read(path: str) -> Contents:
    """Read a compressed file."""
    with open(path, "rb") as file:
        begin = file.read(8)
        file.seek(0)
        if len(begin) < _SHORTEST and any(magic.startswith(begin) for magic in _STREAMS):
            message = f"it ends after {len(begin)} bytes, in its mark of the packing"
            flaw = Flaw(FlawKind.TRUNCATED, message, offset=len(begin))
            return Contents("compressed file", Verdict.MALFORMED, flaw.message, flaws=(flaw,))
        for magic, name in _OTHERS.items():
            if begin.startswith(magic):
                return Contents(name, Verdict.UNSUPPORTED, f"it is a {name}, which isn't read")
        for magic, (name, opener) in _STREAMS.items():
            if begin.startswith(magic):
                return _stream(file, name, opener)
        return Contents("compressed file", Verdict.UNSUPPORTED, "its packing isn't known")


def _inside(again: Callable[[], BinaryIO]) -> str:
    """Return the format that the unpacked bytes begin like, "" where it is none of these."""
    try:
        head = again().read(_HEAD)
    except Unreadable:
        return ""
    if head.startswith(b"{", 8) and int.from_bytes(head[:8], "little") <= safetensors.LARGEST:
        return "safetensors file"
    return next((what for magic, what in _FORMATS.items() if head.startswith(magic)), "")


def _packed(packing: str, inside: str) -> Contents:
    how = _UNPACK.get(packing, f"unpack it with {packing}")
    message = f"it is a {inside} packed with {packing}, and no loader unpacks it: {how}"
    flaw = Flaw(FlawKind.NOT_A_CHECKPOINT, message, offset=0)
    return Contents(f"{packing} stream", Verdict.UNSUPPORTED, message, flaws=(flaw,))


def _stream(file: BinaryIO, name: str, opener: Callable[[], Any]) -> Contents:
    budget = Budget()
    raws: list[Unpacked] = []

    def again() -> BinaryIO:
        file.seek(0)
        raws.append(Unpacked(file, opener, budget))
        return BufferedReader(raws[-1], _CHUNK)

    inside = _inside(again)
    if inside == _ZIP:
        return _packed(name, inside)  # a pickle that begins so ends at its first opcode
    found = pickle_file.contents(again, None, budget)
    if inside and found.verdict is not Verdict.UNSAFE and not found.metadata.get("pickles", 1):
        return _packed(name, inside)
    raw = raws[-1]
    flaws = list(found.flaws) or _to_the_end(raw, name)
    verdict, reason = found.verdict, found.reason
    if flaws and verdict in {Verdict.ALLOWED, Verdict.NEEDS_TRUST}:
        verdict, reason = Verdict.MALFORMED, flaws[0].message
    if verdict is Verdict.MALFORMED and not found.metadata.get("pickles", 1):
        verdict, reason = Verdict.UNSUPPORTED, f"it is packed with {name}, and holds no pickle"
    return replace(
        found,
        format=f"pickle packed with {name}",
        verdict=verdict,
        reason=reason,
        whole_model=found.whole_model and verdict is Verdict.NEEDS_TRUST,
        tensors={k: replace(t, offset=None) for k, t in found.tensors.items()},
        flaws=tuple(flaws),
    )


def _to_the_end(raw: Unpacked, name: str) -> list[Flaw]:
    """Unpack what is left, and return what is wrong with it."""
    try:
        while raw.readinto(bytearray(_CHUNK)):
            pass
    except Unreadable as problem:
        return [Flaw(problem.kind, problem.message, offset=problem.offset)]
    if raw.whole:
        return []
    message = f"the {name} stream ends too early, after {raw.place:,} bytes unpacked"
    return [Flaw(FlawKind.TRUNCATED, message, offset=raw.place)]

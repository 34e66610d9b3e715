"""TensorFlow's checkpoints: an `.index` of names and the data files beside it; SavedModel folders."""

from __future__ import annotations

import os
import re

from pipedoctor.checkpoints import not_checkpoints, sstable
from pipedoctor.checkpoints.contents import Contents, FlawKind, StoredTensor, Verdict
from pipedoctor.checkpoints.flaws import Flaws
from pipedoctor.checkpoints.opening import NotAFile, Source, opened, shown
from pipedoctor.fact import Unavailable

FORMAT = "TensorFlow checkpoint"
SAVED_MODEL = "TensorFlow SavedModel"

MOST_TENSORS = 250_000
LARGEST_INDEX = 32 * 2**20
"""Its checksums are computed here, byte by byte; 100,000 tensors need some 10 MB."""

DATA = re.compile(r"(.+)\.data-[0-9]{5}-of-[0-9]{5}\Z", re.DOTALL)

TYPES = {
    1: ("F32", 4),
    2: ("F64", 8),
    3: ("I32", 4),
    4: ("U8", 1),
    5: ("I16", 2),
    6: ("I8", 1),
    7: ("STRING", 0),
    8: ("C64", 8),
    9: ("I64", 8),
    10: ("BOOL", 1),
    14: ("BF16", 2),
    17: ("U16", 2),
    18: ("C128", 16),
    19: ("F16", 2),
    22: ("U32", 4),
    23: ("U64", 8),
    24: ("F8_E5M2", 1),
    25: ("F8_E4M3", 1),
}
"""The numbers of `DataType`, and the bytes of an element; texts have any length."""


def read(path: str) -> Contents:
    """Return what an index lists, compared with the data beside it."""
    index = _Index(path)
    with opened(path) as source:
        index.read(source)
    if path.endswith(".index"):
        index.compare_data(path.removesuffix(".index"))
    return index.contents()


def folder(path: str) -> Contents:
    """Return what a folder is: a SavedModel, or no checkpoint by itself."""
    graph = os.path.join(path, "saved_model.pb")
    if not os.path.isfile(graph):
        return not_checkpoints.no_file("folder")
    index = os.path.join(path, "variables", "variables.index")
    reason = (
        "it is a SavedModel: a program as a graph, which runs when it is called; Keras 3 reads it "
        "only through keras.layers.TFSMLayer"
    )
    flaws = Flaws()
    try:
        variables = read(index)
    except (Unavailable, NotAFile):
        flaws.add(
            FlawKind.MISSING_FILE,
            "variables/variables.index is missing, which holds the weights of the SavedModel",
        )
        variables = Contents(SAVED_MODEL, Verdict.UNSUPPORTED)
    flaws.take(variables.flaws)
    return Contents(
        SAVED_MODEL,
        Verdict.UNSUPPORTED,
        reason,
        tensors=variables.tensors,
        flaws=flaws.told(),
    )


def data_beside(path: str, source: Source) -> Contents | None:
    """Return what a data file is: bytes without a mark, which the index beside it describes."""
    named = DATA.match(path)
    if named is None or not os.path.isfile(f"{named[1]}.index"):
        return None
    index = f"{shown(os.path.basename(named[1]))}.index"
    return Contents(
        f"{FORMAT} data",
        Verdict.ALLOWED,
        f"its {source.size:,} bytes are described by {index}, which is the file to read",
    )


class _Index:
    """The entries of an index."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._tensors: dict[str, StoredTensor] = {}
        self._flaws = Flaws()
        self._ends: dict[int, int] = {}
        self._shards = 1
        self._verdict = Verdict.ALLOWED
        self._big = False

    def read(self, source: Source) -> None:
        """Read all entries, or as far as it goes."""
        if source.size > LARGEST_INDEX:
            self._flaws.add(
                FlawKind.LIMIT,
                f"it has {source.size:,} bytes, and {LARGEST_INDEX:,} are read here at most",
            )
            self._verdict = Verdict.UNSUPPORTED
            return
        try:
            for name, value in sstable.entries(source):
                self._entry(name, value)
                if len(self._tensors) >= MOST_TENSORS:
                    self._flaws.add(
                        FlawKind.LIMIT, f"the first {MOST_TENSORS:,} tensors were read"
                    )
                    self._verdict = Verdict.UNSUPPORTED
                    return
        except sstable.Compressed:
            self._flaws.add(
                FlawKind.BAD_HEADER, "its blocks are compressed, as no checkpoint's are"
            )
            self._verdict = Verdict.UNSUPPORTED
        except sstable.Damaged as damage:
            kind = FlawKind.CHECKSUM if damage.checksum else FlawKind.BAD_HEADER
            self._flaws.add(kind, f"its index is damaged: {damage}", offset=damage.offset)
            self._verdict = Verdict.MALFORMED

    def compare_data(self, prefix: str) -> None:
        """Compare the ends of the tensors with the sizes of the data files."""
        for shard, end in sorted(self._ends.items()):
            name = f"{prefix}.data-{shard:05d}-of-{self._shards:05d}"
            shown_name = shown(os.path.basename(name))
            try:
                with opened(name) as source:
                    size = source.size
            except (Unavailable, NotAFile):
                self._flaws.add(
                    FlawKind.MISSING_FILE,
                    f"{shown_name} is missing, where {end:,} bytes of tensors should be",
                )
                continue
            if size < end:
                self._flaws.add(
                    FlawKind.TRUNCATED,
                    f"{shown_name} is cut off: {size:,} bytes are there, and its tensors end at "
                    f"{end:,}",
                    offset=size,
                )
            elif size > end:
                self._flaws.add(
                    FlawKind.TRAILING,
                    f"in {shown_name}, {size - end:,} bytes follow the last tensor",
                    offset=end,
                )

    def contents(self) -> Contents:
        """Return what was read."""
        refused = FlawKind.TRUNCATED in self._flaws or FlawKind.MISSING_FILE in self._flaws
        verdict = Verdict.MALFORMED if refused else self._verdict
        return Contents(
            FORMAT,
            verdict,
            self._flaws.first if verdict is not Verdict.ALLOWED else "",
            tensors=self._tensors,
            metadata={"data files": self._shards, "big-endian": self._big},
            flaws=self._flaws.told(),
        )

    def _entry(self, name: bytes, value: bytes) -> None:
        fields = _fields(value)
        if not name:  # the header of the table
            self._shards = _number(fields, 1, 1)
            self._big = _number(fields, 2, 0) == 1
            return
        text = name.decode("utf-8", "backslashreplace")
        kind = _number(fields, 1, 0)
        dtype, size = TYPES.get(kind, (f"type {kind}", 0))
        shape = tuple(_number(_fields(_bytes(d)), 1, 0) for d in _shape(fields))
        shard, offset, length = (_number(fields, field, 0) for field in (3, 4, 5))
        if 7 in fields:  # in slices, each an entry of its own, which bears the bytes
            self._tensors[text] = StoredTensor(shape, dtype)
            return
        tensor = StoredTensor(shape, dtype, bytes=length, offset=offset, storage=str(shard))
        if size and (len(shape) > 254 or tensor.size * size != length):
            self._flaws.add(
                FlawKind.BAD_RANGES,
                f"{shown(text)} of shape {list(shape)[:8]} and type {dtype} doesn't fit its "
                f"{length:,} bytes",
                tensor=text,
            )
            self._verdict = Verdict.MALFORMED
        if shard >= self._shards:
            self._flaws.add(
                FlawKind.BAD_HEADER,
                f"{shown(text)} is said to be in data file {shard}, of {self._shards}",
                tensor=text,
            )
            self._verdict = Verdict.MALFORMED
            return
        self._tensors[text] = tensor
        self._ends[shard] = max(self._ends.get(shard, 0), offset + length)


Fields = dict[int, list["int | bytes"]]


def _fields(data: bytes) -> Fields:
    """Return the fields of a protocol buffer."""
    found: Fields = {}
    at = 0
    while at < len(data):
        tag, at = sstable.varint(data, at)
        kind = tag & 7
        value: int | bytes
        if kind == 0:
            value, at = sstable.varint(data, at)
        else:
            if kind == 2:
                length, at = sstable.varint(data, at)
            elif kind in {1, 5}:
                length = 8 if kind == 1 else 4
            else:
                raise sstable.Damaged(f"an entry has a field of kind {kind}", at)
            if at + length > len(data):
                raise sstable.Damaged("a field of an entry goes beyond it", at)
            value = data[at : at + length]
            at += length
        found.setdefault(tag >> 3, []).append(value)
    return found


def _number(fields: Fields, field: int, default: int) -> int:
    value = fields.get(field, [default])[-1]
    return value if isinstance(value, int) else default


def _bytes(value: int | bytes) -> bytes:
    return value if isinstance(value, bytes) else b""


def _shape(fields: Fields) -> list[int | bytes]:
    """Return the dimensions of a tensor."""
    shape = fields.get(2, [b""])[-1]
    return _fields(_bytes(shape)).get(2, [])

"""The tensors and configs in an HDF5 file, read by h5py; no link out of the file is followed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from io import RawIOBase
from typing import Any

from pipedoctor.checkpoints import keras_config
from pipedoctor.checkpoints.contents import Contents, FlawKind, StoredTensor, Verdict
from pipedoctor.checkpoints.flaws import Flaws
from pipedoctor.checkpoints.opening import shown
from pipedoctor.checkpoints.pickles.limits import Unreadable
from pipedoctor.checkpoints.pickles.spans import Span
from pipedoctor.checkpoints.pickles.verdicts import Judgement, worst

FORMAT = "HDF5"
KERAS = "Keras HDF5"
MOST_OBJECTS = 100_000
"""Groups and datasets: the largest models of Keras have some thousand."""
CONFIGS = ("model_config", "training_config")
NO_H5PY = "h5py is not installed, so the tensors are not listed: pip install h5py"

TYPES = {
    ("f", 2): "F16",
    ("f", 4): "F32",
    ("f", 8): "F64",
    ("i", 1): "I8",
    ("i", 2): "I16",
    ("i", 4): "I32",
    ("i", 8): "I64",
    ("u", 1): "U8",
    ("u", 2): "U16",
    ("u", 4): "U32",
    ("u", 8): "U64",
    ("b", 1): "BOOL",
    ("c", 8): "C64",
    ("c", 16): "C128",
}
"""The names of types by numpy's letter and the bytes of an element."""


def contents(span: Span, place: int, metadata: dict[str, object]) -> Contents:
    """Return what a sound file holds; `place` is where it begins in what is on the disk."""
    try:
        import h5py
    except Exception:  # noqa: BLE001 - a broken installation raises anything
        return Contents(FORMAT, Verdict.UNSUPPORTED, NO_H5PY, metadata=metadata)
    reader = _Reader(h5py, place)
    try:
        with h5py.File(_Window(span), "r") as file:
            return reader.read(file, metadata)
    # h5py raises OSError, RuntimeError, KeyError, ValueError, TypeError for what it can't read.
    except Exception as error:  # noqa: BLE001
        message = f"h5py can't read it: {shown(_plain(error), 200)}"
        reader.flaws.add(FlawKind.BAD_HEADER, message)
        return Contents(
            FORMAT,
            Verdict.MALFORMED,
            reader.flaws.first,
            tensors=reader.tensors,
            metadata=metadata,
            flaws=reader.flaws.told(),
        )


class _Reader:
    """The tensors of one file, collected."""

    def __init__(self, h5py: Any, place: int) -> None:
        self.tensors: dict[str, StoredTensor] = {}
        self.flaws = Flaws()
        self._h5py = h5py
        self._place = place
        self._whole = True

    def read(self, file: Any, metadata: dict[str, object]) -> Contents:
        """Read an open file."""
        judgements, keras = self._configs(file, metadata)
        self._walk(file)
        if any(kind in self.flaws for kind in (FlawKind.OUTSIDE, FlawKind.BAD_RANGES)):
            judgements.append(Judgement(Verdict.MALFORMED, self._outside()))
        if not self._whole:
            judgements.append(Judgement(Verdict.UNSUPPORTED, self.flaws.first))
        judgement = worst(judgements)
        names = self.tensors
        weights = any(n.endswith("/vars/0") or n.startswith("vars/") for n in names)
        kind = KERAS if keras else f"{KERAS} weights" if weights else FORMAT
        return Contents(
            kind,
            judgement.verdict,
            judgement.reason,
            judgement.offender,
            tensors=names,
            metadata=metadata,
            flaws=self.flaws.told(),
        )

    def _outside(self) -> str:
        return next(
            flaw.message
            for flaw in self.flaws.told()
            if flaw.kind in {FlawKind.OUTSIDE, FlawKind.BAD_RANGES}
        )

    def _configs(self, file: Any, metadata: dict[str, object]) -> tuple[list[Judgement], bool]:
        """Judge the configs that the root carries, and note what they say of themselves."""
        judgements: list[Judgement] = []
        for name in ("keras_version", "backend"):
            text = _text(file, name)
            if text is not None:
                metadata[name] = shown(text)
        found = False
        for name in CONFIGS:
            text = _text(file, name)
            if text is None:
                continue
            found = True
            try:
                config = keras_config.parsed(text, name)
                judgement, flaws = keras_config.judged(config, name)
            except Unreadable as problem:
                self.flaws.add(problem.kind, problem.message)
                judgement = Judgement(Verdict.MALFORMED, problem.message)
            else:
                self.flaws.take(tuple(flaws))
                if name == "model_config":
                    metadata["model"] = shown(str(config.get("class_name")))
                    metadata["layers"] = keras_config.layers(config)
            judgements.append(judgement)
        return judgements, found

    def _walk(self, file: Any) -> None:
        """Read all groups; each is entered once, however many names it has."""
        h5py = self._h5py
        waiting, entered, seen = [("", file)], {_address(h5py, file)}, 0
        while waiting:
            prefix, group = waiting.pop()
            for name in _names(group):
                seen += 1
                if seen > MOST_OBJECTS:
                    self.flaws.add(FlawKind.LIMIT, f"the first {MOST_OBJECTS:,} objects were read")
                    self._whole = False
                    return
                full = f"{prefix}{name}"
                link = group.get(name, getlink=True)
                if isinstance(link, h5py.ExternalLink):
                    self._leaves(full, f"is a link to {shown(str(link.filename))}")
                elif isinstance(link, h5py.HardLink):
                    held = group[name]
                    if isinstance(held, h5py.Dataset):
                        self._dataset(full, held)
                    elif isinstance(held, h5py.Group):
                        address = _address(h5py, held)
                        if address not in entered:
                            entered.add(address)
                            waiting.append((f"{full}/", held))

    def _leaves(self, name: str, how: str) -> None:
        self.flaws.add(
            FlawKind.OUTSIDE,
            f"{shown(name)} {how}, which is another file: it is not opened here",
            tensor=name,
        )

    def _dataset(self, name: str, held: Any) -> None:
        """Note a dataset, and where its elements are."""
        tensor = _tensor(name, held)
        if held.external:
            self._leaves(name, f"has its elements in {shown(str(held.external[0][0]))}")
            tensor = replace(tensor, offset=None)
        elif held.is_virtual:
            files = {source.file_name for source in held.virtual_sources()} - {"."}
            if files:
                self._leaves(name, f"is put together from {shown(min(files))}")
        elif tensor.offset is not None:
            tensor = replace(tensor, offset=tensor.offset + self._place)
        self.tensors[name] = tensor


def _tensor(name: str, held: Any) -> StoredTensor:
    """Return a dataset as a tensor; elements that are packed or in the other order have no place."""
    dtype = held.dtype
    known = TYPES.get((dtype.kind, dtype.itemsize))
    shape = tuple(int(size) for size in held.shape or ())
    if known is None:
        return StoredTensor(shape, "STRING" if dtype.kind in "OS" else shown(str(dtype), 40))
    size = dtype.itemsize
    for count in shape:
        size *= count
    offset = held.id.get_offset()
    return StoredTensor(
        shape,
        known,
        bytes=size,
        offset=offset if dtype.byteorder != ">" else None,
        storage=name if offset is None else f"at {offset}",
    )


def _names(group: Any) -> Iterator[str]:
    for name in group:
        yield name if isinstance(name, str) else name.decode("utf-8", "backslashreplace")


def _address(h5py: Any, held: Any) -> int:
    return int(h5py.h5o.get_info(held.id).addr)


def _text(file: Any, name: str) -> str | None:
    """Return an attribute of the root that is a text, or one as bytes."""
    if name not in file.attrs:
        return None
    value = file.attrs[name]
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return value if isinstance(value, str) else str(value)


def _plain(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


class _Window(RawIOBase):
    """A stretch of a file as a file of its own, which h5py can read but not write."""

    def __init__(self, span: Span) -> None:
        self._span = span
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        start = (0, self._at, self._span.size)[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        data = self._span.at(self._at, len(view))
        view[: len(data)] = data
        self._at += len(data)
        return len(data)

"""The tensors and configs of a sound HDF5 file, as another process lists them with h5py."""

from __future__ import annotations

import json
import os
import sys
from io import BytesIO
from math import prod
from typing import Any

from pipedoctor.checkpoints import h5_listing, keras_config
from pipedoctor.checkpoints.contents import Contents, FlawKind, StoredTensor, Verdict
from pipedoctor.checkpoints.flaws import Flaws
from pipedoctor.checkpoints.opening import shown
from pipedoctor.checkpoints.pickles.limits import Unreadable
from pipedoctor.checkpoints.pickles.spans import Span
from pipedoctor.checkpoints.pickles.verdicts import Judgement, worst

FORMAT = "HDF5"
KERAS = "Keras HDF5"
NO_H5PY = "h5py is not installed, so the tensors are not listed: pip install h5py"
WAIT = 300
"""Seconds; its processor time has a limit of its own, so only a stuck disk takes so long."""
CALM = {
    "HDF5_PLUGIN_PRELOAD": "::",  # no libraries for filters are looked for
    "OPENBLAS_NUM_THREADS": "1",
}

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
    ("V", 2): "BF16",  # as ml_dtypes hands it to h5py, which knows no such number
}
"""The names of types by numpy's letter and the bytes of an element."""


def contents(span: Span, place: int, metadata: dict[str, object]) -> Contents:
    """Return what a sound file holds; `place` is where it begins in what is on the disk."""
    listing = _Listing(place, span.size, metadata)
    listing.take(*_listed(span))
    return listing.contents()


def _listed(span: Span) -> tuple[bytes, str]:
    """Return the lines that the other process told, and why it stopped if it did."""
    import subprocess

    packed = isinstance(span.file, BytesIO)
    asked = {
        "path": None if packed else os.path.abspath(str(span.file.name)),
        "start": span.start,
        "size": span.size,
        "sys_path": [os.path.abspath(entry) for entry in sys.path],
    }
    data = json.dumps(asked).encode() + b"\n" + (span.at(0, span.size) if packed else b"")
    try:
        done = subprocess.run(  # noqa: S603 - the interpreter itself, and a file of ours
            [sys.executable, "-I", h5_listing.__file__],
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **CALM},
            timeout=WAIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return b"", f"is not done with it after {WAIT} s"
    except OSError:
        return b"", "can't be started"
    return done.stdout, f"crashes on it (status {done.returncode})" if done.returncode else ""


class _Listing:
    """What was told of one file, collected."""

    def __init__(self, place: int, size: int, metadata: dict[str, object]) -> None:
        self._place = place
        self._size = size
        self._metadata = metadata
        self._tensors: dict[str, StoredTensor] = {}
        self._flaws = Flaws()
        self._judgements: list[Judgement] = []
        self._keras = False

    def take(self, lines: bytes, stopped: str) -> None:
        """Take all lines; a crash may have left the last one unfinished."""
        told: list[list[Any]] = []
        for line in lines.splitlines():
            try:
                told.append(json.loads(line))
            except ValueError:
                break
        if not told:  # it did not come as far as the file
            self._judgements.append(Judgement(Verdict.UNSUPPORTED, NO_H5PY))
            return
        for kind, *values in told:
            self._line(str(kind), values)
        if stopped or told[-1][0] != "end":
            self._bad(FlawKind.BAD_HEADER, f"h5py {stopped or 'stops before its end'}")

    def _line(self, kind: str, values: list[Any]) -> None:
        if kind == "text":
            self._text(values[0], values[1])
        elif kind == "tensor":
            self._tensor(values[0], values[1], values[2], values[3])
        elif kind == "leaves":
            name, how, file = (shown(value) for value in values)
            message = f"{name} {how} {file}, which is another file: it is not opened here"
            self._bad(FlawKind.OUTSIDE, message, values[0])
        elif kind == "most":
            message = f"its first {values[0]:,} objects were read"
            self._bad(FlawKind.LIMIT, message, verdict=Verdict.UNSUPPORTED)
        elif kind == "error":
            self._bad(FlawKind.BAD_HEADER, f"h5py can't read it: {shown(values[0], 200)}")

    def contents(self) -> Contents:
        """Return what was told."""
        judgement = worst(self._judgements)
        weights = any(n.endswith("/vars/0") or n.startswith("vars/") for n in self._tensors)
        return Contents(
            KERAS if self._keras else f"{KERAS} weights" if weights else FORMAT,
            judgement.verdict,
            judgement.reason,
            judgement.offender,
            tensors=self._tensors,
            metadata=self._metadata,
            flaws=self._flaws.told(),
        )

    def _bad(
        self, kind: FlawKind, message: str, tensor: str = "", verdict: Verdict = Verdict.MALFORMED
    ) -> None:
        self._flaws.add(kind, message, tensor=tensor)
        self._judgements.append(Judgement(verdict, message))

    def _text(self, name: str, text: str) -> None:
        """Judge a config that the root carries, and note what it says of itself."""
        if not name.endswith("_config"):
            self._metadata[name] = shown(text)
            return
        self._keras = True
        try:
            config = keras_config.parsed(text, name)
            judgement, flaws = keras_config.judged(config, name)
        except Unreadable as problem:
            self._bad(problem.kind, problem.message)
            return
        self._flaws.take(tuple(flaws))
        self._judgements.append(judgement)
        if name == "model_config":
            self._metadata["model"] = shown(str(config.get("class_name")))
            self._metadata["layers"] = keras_config.layers(config)

    def _tensor(
        self, name: str, shape: list[int], dtype: tuple[str, int, str], offset: int | None
    ) -> None:
        kind, size, called = dtype
        known = TYPES.get((kind, size))
        if known is None:
            other = "STRING" if kind in {"O", "S"} else shown(called)
            self._tensors[name] = StoredTensor(tuple(shape), other)
            return
        length = prod(shape) * size
        if offset is not None and offset + length > self._size:
            message = (
                f"{shown(name)} takes the bytes up to {offset + length:,} of a file that has "
                f"{self._size:,}"
            )
            self._bad(FlawKind.BAD_RANGES, message, name)
        at = None if offset is None else offset + self._place
        storage = name if at is None else f"at {at}"
        self._tensors[name] = StoredTensor(tuple(shape), known, length, at, storage)

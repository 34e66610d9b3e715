"""What may be wrong with files of other formats, or be no checkpoint at all: added to the table."""

from __future__ import annotations

import bz2
import gzip
import pickle
import struct
from collections.abc import Sequence

from checkpoints import fixtures as f
from checkpoints.archives import Entry, zipped
from checkpoints.file_states import (
    ALLOWED,
    CUT,
    HEADER,
    MALFORMED,
    MISSING,
    MORE,
    NONE,
    RANGES,
    STATES,
    SUM,
    TRUST,
    TWICE,
    UNSAFE,
    UNSUPPORTED,
    State,
    state,
)
from checkpoints.opcodes import call, whole

from pipedoctor.checkpoints.contents import FlawKind, Verdict


def _gguf() -> None:
    whole_ = f.gguf()
    values, tensors = f.GGUF_VALUES, f.GGUF_TENSORS
    number = struct.pack("<I", 64)

    def row(what: str, data: bytes, verdict: Verdict, *flaws: FlawKind) -> None:
        state(f"gguf: {what}", "model.gguf", data, verdict, *flaws)

    def one(shape: Sequence[int], kind: int = 0, begin: int = 0) -> bytes:
        return f.gguf(tensors=(f.gguf_tensor("a", shape, kind, begin),))

    def value(*more: bytes) -> bytes:
        return f.gguf((*values, *more))

    row("as written", whole_, ALLOWED)
    row("version 2", f.gguf(version=2), ALLOWED)
    row("version 1", f.VALID["old.gguf"], ALLOWED)
    row("only a vocabulary", f.gguf(tensors=(), data=b""), ALLOWED)
    row(
        "an alignment of its own",
        f.gguf(
            (*values, f.gguf_value("general.alignment", 4, struct.pack("<I", 16))),
            (tensors[0], f.gguf_tensor("b", (4,), 0, 32)),
            f.elements(12),
            alignment=16,
        ),
        ALLOWED,
    )
    row("only its mark", whole_[:4], MALFORMED, CUT)
    row("version 0", f.gguf(version=0), MALFORMED, HEADER)
    row("version 4", f.gguf(version=4), MALFORMED, HEADER)
    row("cut within its values", whole_[:60], MALFORMED, CUT)
    row("cut within its data", whole_[:-32], MALFORMED, CUT)
    row("bytes behind it", whole_ + b"\0" * 64, ALLOWED, MORE)
    row("2^60 tensors", f.gguf(counts=(2**60, 3)), MALFORMED, HEADER)
    row("2^60 values", f.gguf(counts=(2, 2**60)), MALFORMED, HEADER)
    row("one tensor more than there is", f.gguf(counts=(3, 3)), MALFORMED, HEADER)
    row(
        "a name of 2^60 bytes",
        f.gguf(counts=(0, 1), values=(struct.pack("<Q", 2**60),)),
        MALFORMED,
        HEADER,
    )
    row(
        "a text of 2^60 bytes",
        value(f.gguf_value("x", 8, struct.pack("<Q", 2**60))),
        MALFORMED,
        CUT,
    )
    row(
        "an array of 2^60 numbers",
        value(f.gguf_value("x", 9, struct.pack("<IQ", 4, 2**60))),
        MALFORMED,
        CUT,
    )
    row(
        "an array of 2^60 texts",
        value(f.gguf_value("x", 9, struct.pack("<IQ", 8, 2**60))),
        MALFORMED,
        HEADER,
    )
    row(
        "an array of 2^60 arrays",
        value(f.gguf_value("x", 9, struct.pack("<IQ", 9, 2**60))),
        MALFORMED,
        HEADER,
    )
    row(
        "arrays in arrays",
        value(f.gguf_value("x", 9, struct.pack("<IQ", 9, 1) * 9)),
        MALFORMED,
        HEADER,
    )
    row("a value of type 99", value(f.gguf_value("x", 99, number)), MALFORMED, HEADER)
    row("a value twice", value(values[1]), MALFORMED, TWICE)
    row(
        "a tensor twice",
        f.gguf(tensors=(tensors[0], f.gguf_tensor("a", (4,), 0, 32))),
        MALFORMED,
        TWICE,
    )
    row(
        "an alignment of 7",
        value(f.gguf_value("general.alignment", 4, struct.pack("<I", 7))),
        MALFORMED,
        HEADER,
    )
    row(
        "an alignment of 0",
        value(f.gguf_value("general.alignment", 4, struct.pack("<I", 0))),
        MALFORMED,
        HEADER,
    )
    row(
        "an overlap",
        f.gguf(tensors=(tensors[0], f.gguf_tensor("b", (4,), 0, 0))),
        MALFORMED,
        RANGES,
        MORE,
    )
    row(
        "a hole",
        f.gguf(tensors=(tensors[0], f.gguf_tensor("b", (4,), 0, 64))),
        MALFORMED,
        RANGES,
        CUT,
    )
    row(
        "not aligned",
        f.gguf(tensors=(tensors[0], f.gguf_tensor("b", (4,), 0, 33))),
        MALFORMED,
        RANGES,
        CUT,
    )
    row("a block cut in two", one((2, 33), 8), MALFORMED, RANGES)
    row("an unknown type", one((2, 4), 99), UNSUPPORTED)
    row("five dimensions", one((1, 1, 1, 2, 4)), MALFORMED, HEADER)
    row("2^62 elements in two sizes", one((2**31, 2**31)), MALFORMED, CUT)
    row("2^126 elements", one((2**63, 2**63)), MALFORMED, RANGES)


def _arrays() -> None:
    whole_ = f.npy()

    def row(what: str, name: str, data: bytes, verdict: Verdict, *flaws: FlawKind) -> None:
        state(f"numpy: {what}", name, data, verdict, *flaws)

    row("as written", "a.npy", whole_, ALLOWED)
    row("cut in its header", "a.npy", whole_[:40], MALFORMED, CUT)
    row("one byte short", "a.npy", whole_[:-1], MALFORMED, CUT)
    row("bytes behind it", "a.npy", whole_ + b"xyz", ALLOWED, MORE)
    row("of version 9", "a.npy", whole_.replace(b"NUMPY\x01", b"NUMPY\x09"), MALFORMED, HEADER)
    row("a header that is code", "a.npy", whole_.replace(b"False", b"print"), MALFORMED, HEADER)
    row(
        "objects that call eval",
        "a.npy",
        f.npy((1,), descr="|O", data=whole(call("builtins", "eval", "1"))),
        UNSAFE,
    )
    row("objects", "a.npy", f.npy((1,), descr="|O", data=pickle.dumps([None])), TRUST)
    row("an archive", "a.npz", f.npz(), ALLOWED)
    row("an archive cut", "a.npz", f.npz()[:-30], MALFORMED, CUT)
    row(
        "an archive with a cut array", "a.npz", zipped(Entry("a.npy", whole_[:-4])), MALFORMED, CUT
    )
    row(
        "an archive that calls eval",
        "a.npz",
        zipped(Entry("a.npy", f.npy((1,), descr="|O", data=whole(call("builtins", "eval", "1"))))),
        UNSAFE,
    )


def _tensorflow() -> None:
    name = "model.data-00000-of-00001"

    def row(
        what: str,
        data: bytes,
        verdict: Verdict,
        *flaws: FlawKind,
        beside: bytes | None = f.tf_data(),
    ) -> None:
        others = {} if beside is None else {name: beside}
        STATES[f"tensorflow: {what}"] = State(
            "model.index", data, verdict, frozenset(flaws), others
        )

    whole_ = f.tf_index()
    row("as written", whole_, ALLOWED)
    row("without its data", whole_, MALFORMED, MISSING, beside=None)
    row("data cut", whole_, MALFORMED, CUT, beside=f.tf_data()[:-1])
    row("data empty", whole_, MALFORMED, CUT, beside=b"")
    row("data longer", whole_, ALLOWED, MORE, beside=f.tf_data() + b"x")
    row("a flipped bit", bytes([whole_[0] ^ 1]) + whole_[1:], MALFORMED, SUM)
    row("a name changed", whole_.replace(b"embed", b"Embed"), MALFORMED, SUM)
    row("a compressed block", f.tf_index(kind=1), UNSUPPORTED, HEADER)
    row("lengths that don't fit", f.tf_index(longer=1), MALFORMED, RANGES, CUT)
    row("a data file that can't be", f.tf_index(shard=3), MALFORMED, HEADER)
    row("only its footer", whole_[-48:], MALFORMED, HEADER)
    row("its footer cut", whole_[:-1], UNSUPPORTED, NONE)


def _distributed() -> None:
    def row(what: str, data: bytes, verdict: Verdict, *flaws: FlawKind) -> None:
        state(f"dcp: {what}", ".metadata", data, verdict, *flaws)

    row("as written", f.metadata(), TRUST)
    row("cut", f.metadata()[:-9], MALFORMED, CUT)
    row("that calls eval", f.metadata(evil=call("builtins", "eval", "1")), UNSAFE)
    row("that calls a shell", f.metadata(evil=call("posix", "system", "true")), UNSAFE)


SUFFIXES = ("safetensors", "bin", "pt", "gguf", "npy", "index", "h5", "keras")


def _others() -> None:
    for suffix in SUFFIXES:
        for what, data, verdict in (
            ("an LFS pointer", f.LFS, UNSUPPORTED),
            ("a web page", f.HTML, UNSUPPORTED),
            ("a server's answer", f.JSON, UNSUPPORTED),
            ("nothing", b"", MALFORMED),
            ("zeros", b"\0" * 5000, MALFORMED),
        ):
            state(f"{what} as .{suffix}", f"model.{suffix}", data, verdict, NONE)
    state("text", "model.bin", b"hello, these are no weights\n", UNSUPPORTED, NONE)
    state("7-Zip", "model.bin", b"7z\xbc\xaf\x27\x1c" + b"x" * 90, UNSUPPORTED, NONE)
    state(
        "XML",
        "model.bin",
        b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>",
        UNSUPPORTED,
        NONE,
    )
    state("Parquet", "model.bin", b"PAR1" + b"x" * 90, UNSUPPORTED, NONE)
    state("noise", "model.bin", bytes(range(255, 100, -1)), UNSUPPORTED, NONE)


def _texts_and_streams() -> None:
    for what, data in (
        ("an import", b"import torch\nimport os\n\ntorch.save({}, 'm.pt')\n"),
        ("imports in a row", b"from os import system\nsystem('true')\n"),
        ("a class", b"class Net(Base):\n    pass\n"),
        ("a comment first", b"#!/usr/bin/env python\n# -\nimport torch\n"),
        ("its doc first", b'"""Train."""\nimport torch\n'),
        ("settings", b"config = 3\nimport os\n"),
    ):
        state(f"source: {what}", "train.pt", data, UNSUPPORTED, NONE)
    # Names that can be imported are those of a pickle, in whatever text.
    state("source: that is a pickle", "train.pt", b"cos\nsystem\n(S'true'\ntR.", UNSAFE)
    state("source: a pickle cut", "train.pt", b"ios\nsystem\nS'", UNSAFE, HEADER)
    for what, data in (
        ("a PyTorch archive", f.torch_zip()),
        ("safetensors", f.safetensors()),
        ("GGUF", f.gguf()),
    ):
        for name, packed in (("gzip", gzip.compress(data)), ("bzip2", bz2.compress(data))):
            state(f"{name}: {what}", "model.bin", packed, UNSUPPORTED, NONE)
    hidden = whole(call("builtins", "eval", "1"))
    state("gzip: a pickle that calls eval", "model.bin", gzip.compress(hidden), UNSAFE)
    header = b"\x80\x04\x00\x00\x00\x00\x00\x00{"
    state("gzip: what begins as both", "model.bin", gzip.compress(header), MALFORMED, HEADER)


for build in (_texts_and_streams, _gguf, _arrays, _tensorflow, _distributed, _others):
    build()

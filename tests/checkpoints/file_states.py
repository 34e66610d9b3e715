"""Everything that may be wrong with one file, by name: its bytes, and what is to be said of it."""

from __future__ import annotations

import dataclasses
import json
import pickle
import struct
from collections.abc import Callable, Sequence
from typing import Any

from checkpoints import fixtures as f
from checkpoints.archives import Entry, zipped
from checkpoints.opcodes import call, glob, plain, whole

from pipedoctor.checkpoints.contents import FlawKind, Verdict

ALLOWED, MALFORMED, UNSUPPORTED = Verdict.ALLOWED, Verdict.MALFORMED, Verdict.UNSUPPORTED
UNSAFE, TRUST = Verdict.UNSAFE, Verdict.NEEDS_TRUST
HEADER, RANGES, CUT = FlawKind.BAD_HEADER, FlawKind.BAD_RANGES, FlawKind.TRUNCATED
TWICE, MORE, LIMIT = FlawKind.DUPLICATE, FlawKind.TRAILING, FlawKind.LIMIT
NONE, SUM, CODE = FlawKind.NOT_A_CHECKPOINT, FlawKind.CHECKSUM, FlawKind.CODE
MISSING = FlawKind.MISSING_FILE


@dataclasses.dataclass(frozen=True)
class State:
    """A file, and what reading it must say: the verdict, and exactly these kinds of flaws."""

    name: str
    data: bytes
    verdict: Verdict
    flaws: frozenset[FlawKind]
    beside: dict[str, bytes] = dataclasses.field(default_factory=dict)


STATES: dict[str, State] = {}


def state(
    what: str, name: str, data: bytes, verdict: Verdict, *flaws: FlawKind, **beside: bytes
) -> None:
    assert what not in STATES, what
    STATES[what] = State(name, data, verdict, frozenset(flaws), beside.get("beside", {}))


def _safetensors() -> None:
    whole_ = f.safetensors()
    header = f.table()
    data = f.elements(47)
    length = int.from_bytes(whole_[:8], "little")

    def row(what: str, data: bytes, verdict: Verdict, *flaws: FlawKind) -> None:
        state(f"safetensors: {what}", "model.safetensors", data, verdict, *flaws)

    row("as written", whole_, ALLOWED)
    row("of no tensors", f.headed({}, b""), ALLOWED)
    row("of a scalar", f.safetensors({"a": ()}), ALLOWED)
    row("of an empty tensor", f.safetensors({"a": (0, 4)}), ALLOWED)
    row("padded with space", f.headed(json.dumps(header).encode() + b"   ", data), ALLOWED)
    row("8 bytes", whole_[:8], MALFORMED, CUT)
    row("cut within its header", whole_[: 8 + length // 2], MALFORMED, CUT)
    row("cut behind its header", whole_[: 8 + length], MALFORMED, CUT)
    row("cut within its data", whole_[:-20], MALFORMED, CUT)
    row("one byte short", whole_[:-1], MALFORMED, CUT)
    row("one byte longer", whole_ + b"\0", MALFORMED, MORE)
    row("written twice", whole_ + whole_, MALFORMED, MORE)
    row("a header beyond its limit", f.headed(header, data, length=100_000_001), MALFORMED, HEADER)
    row("a header of 2^63 bytes", f.headed(header, data, length=2**63), MALFORMED, HEADER)
    row("a header that claims less", f.headed(header, data, length=length - 3), MALFORMED, HEADER)
    row("no JSON", f.headed(b'{"' + b"x" * 40, data), MALFORMED, HEADER)
    row("not even that", f.headed(b"{" + b"x" * 40, data), UNSUPPORTED, NONE)
    row("no UTF-8", f.headed(b'{"\xff\xfe": 1}', data), MALFORMED, HEADER)
    row("nested 100,000 deep", f.headed(b'{"a":' + b"[" * 100_000, b""), MALFORMED, HEADER)
    row("a list as an entry", f.headed({"a": [1]}, data), MALFORMED, HEADER)
    row("a number as metadata", f.headed({"__metadata__": {"a": 1}}, b""), MALFORMED, HEADER)
    row(
        "a space before the brace",
        f.headed(b" " + json.dumps(header).encode(), data),
        ALLOWED,
        HEADER,
    )
    twice = (
        json.dumps(header).encode()[:-1]
        + b","
        + json.dumps(header).encode()[1:].partition(b", ")[2]
    )
    row("all names twice", f.headed(twice, data), ALLOWED, TWICE)
    row("an overlap", f.changed(layer_bias={"data_offsets": [124, 136]}), MALFORMED, RANGES)
    row("a hole", f.changed(layer_bias={"data_offsets": [132, 144]}), MALFORMED, RANGES)
    row("a range backwards", f.changed(layer_bias={"data_offsets": [140, 128]}), MALFORMED, RANGES)
    row(
        "a range of another length",
        f.changed(layer_bias={"data_offsets": [128, 136]}),
        MALFORMED,
        RANGES,
    )
    row("another shape", f.changed(layer_weight={"shape": [3, 5]}), MALFORMED, RANGES)
    row("another type", f.changed(layer_weight={"dtype": "F16"}), MALFORMED, RANGES)
    row("an unknown type", f.changed(layer_weight={"dtype": "F12"}), UNSUPPORTED, HEADER)
    row(
        "a shape beyond 2^64", f.changed(layer_weight={"shape": [2**40, 2**40]}), MALFORMED, HEADER
    )
    row(
        "a range beyond 2^64",
        f.changed(layer_weight={"data_offsets": [140, 2**70]}),
        MALFORMED,
        HEADER,
    )
    row("a negative size", f.changed(layer_weight={"shape": [-3, -4]}), MALFORMED, HEADER)
    row("a size of a half", f.changed(layer_weight={"shape": [1.5, 8]}), MALFORMED, HEADER)
    row("true as a size", f.changed(layer_weight={"shape": [True, 12]}), MALFORMED, HEADER)
    row("three offsets", f.changed(layer_weight={"data_offsets": [1, 2, 3]}), MALFORMED, HEADER)
    row("1,000 dimensions", f.changed(layer_weight={"shape": [1] * 1000}), MALFORMED, LIMIT)
    row(
        "one that ends far behind",
        f.changed(layer_weight={"shape": [2**40], "data_offsets": [140, 140 + 2**42]}),
        MALFORMED,
        CUT,
    )
    state("safetensors: named .bin", "pytorch_model.bin", whole_, ALLOWED)


def _torch() -> None:
    entries = f.torch_entries()
    whole_ = zipped(*entries)

    def row(what: str, data: bytes, verdict: Verdict, *flaws: FlawKind) -> None:
        state(f"torch: {what}", "pytorch_model.bin", data, verdict, *flaws)

    def changed(at: int, **change: Any) -> bytes:
        one = dataclasses.replace(entries[at], **change)
        return zipped(*entries[:at], one, *entries[at + 1 :])

    row("as written", whole_, ALLOWED)
    row("cut in the middle", whole_[: len(whole_) // 2], MALFORMED, CUT)
    row("one byte short", whole_[:-1], MALFORMED, CUT)
    row("a member too few", zipped(*entries[:2], *entries[3:]), MALFORMED, RANGES)
    row("a member too short", changed(2, data=f.elements(31)), MALFORMED, RANGES)
    row("its pickle cut", changed(0, data=entries[0].data[:-30]), MALFORMED, CUT)
    row("its pickle empty", changed(0, data=b""), MALFORMED, CUT)
    row("its pickle compressed", changed(0, method=8), ALLOWED)
    row("its pickle's checksum differs", changed(0, checksum=1), ALLOWED, SUM)
    row("a name twice", zipped(*entries, entries[2]), MALFORMED, TWICE)
    row("no data.pkl", zipped(*entries[1:]), UNSUPPORTED, NONE)
    row("an empty archive", zipped(), UNSUPPORTED, NONE)
    row("bytes before it", b"x" * 100 + whole_, MALFORMED, HEADER)
    row(
        "that calls eval",
        zipped(*f.torch_entries(pickled=whole(call("builtins", "eval", "1+1")))),
        UNSAFE,
    )
    row(
        "that names a class",
        zipped(*f.torch_entries(pickled=whole(glob("argparse", "Namespace") + b")\x81"))),
        TRUST,
    )
    row(
        "with code",
        zipped(
            *entries,
            Entry("archive/code/__torch__.py", b"def f(): pass"),
            Entry("archive/constants.pkl", whole(plain(1))),
        ),
        TRUST,
        CODE,
    )


def _legacy() -> None:
    whole_ = f.legacy()

    def row(what: str, data: bytes, verdict: Verdict, *flaws: FlawKind) -> None:
        state(f"legacy: {what}", "legacy.pt", data, verdict, *flaws)

    row("as written", whole_, ALLOWED)
    row("cut behind its magic number", whole_[:20], MALFORMED, CUT)
    row("cut within its object", whole_[: len(whole_) // 2], MALFORMED, CUT)
    row("one byte short", whole_[:-1], MALFORMED, CUT)
    row("without its storages", f.legacy(data=b""), MALFORMED, CUT)
    row("bytes behind it", f.legacy(more=b"xyz"), ALLOWED, MORE)
    row("of another version", f.legacy(version=7), ALLOWED, HEADER)
    row(
        "a storage of another length",
        f.legacy(data=struct.pack("<q", 31) + f.elements(47)),
        MALFORMED,
        RANGES,
    )
    row(
        "a pickle that calls behind it",
        f.legacy(more=whole(call("builtins", "eval", "1"))),
        UNSAFE,
        MORE,
    )


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


BUILDERS: tuple[Callable[[], None], ...] = (
    *(_safetensors, _torch, _legacy, _gguf),
    *(_arrays, _tensorflow, _distributed, _others),
)
for build in BUILDERS:
    build()

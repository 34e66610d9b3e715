"""What may be wrong with weights of torch, by name: the bytes of a file, and what is to be said."""

from __future__ import annotations

import dataclasses
import json
import struct
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


for build in (_safetensors, _torch, _legacy):
    build()

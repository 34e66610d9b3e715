"""The machine does opcode by opcode what Python's own unpickler does."""

from __future__ import annotations

import io
import math
import pickle
import pickletools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipedoctor.checkpoints.pickles.actions import ACTIONS
from pipedoctor.checkpoints.pickles.constants import CONSTANTS
from pipedoctor.checkpoints.pickles.limits import Budget, Unreadable
from pipedoctor.checkpoints.pickles.nodes import Call, Members, Pairs
from pipedoctor.checkpoints.pickles.reader import Machine


def run(data: bytes) -> Machine:
    machine = Machine(io.BytesIO(data), Budget(), len(data))
    machine.run()
    return machine


def made(node: Any) -> Any:
    """The object that nodes of plain data stand for."""
    if type(node) is Call:
        arguments = made(node.arguments)
        if node.named("_codecs", "encode"):
            return arguments[0].encode(arguments[1])
        kinds = {"set": set, "frozenset": frozenset, "bytearray": bytearray, "bytes": bytes}
        assert node.function.module == "builtins"
        return kinds[node.function.name](*arguments)
    if type(node) is Pairs:
        return {made(k): made(v) for k, v in zip(node[::2], node[1::2], strict=True)}
    if type(node) is Members:
        return frozenset(made(item) for item in node)
    if isinstance(node, list | tuple):
        return type(node)(made(item) for item in node)
    return node


def test_every_opcode_is_known() -> None:
    known = {opcode.code.encode("latin1") for opcode in pickletools.opcodes}
    assert set(ACTIONS) | set(CONSTANTS) == known
    assert not set(ACTIONS) & set(CONSTANTS)


plain = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(2**40), max_value=2**40)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
)
hashable = plain | st.tuples(plain, plain) | st.frozensets(plain, max_size=3)
objects = st.recursive(
    plain | st.sets(plain, max_size=3),
    lambda inner: (
        st.lists(inner) | st.tuples(inner, inner, inner, inner) | st.dictionaries(hashable, inner)
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(objects, st.integers(0, 5), st.booleans())
def test_plain_data_comes_back(data: Any, protocol: int, shared: bool) -> None:
    if shared:
        data = [data, data, (data,)]
    assert made(run(pickle.dumps(data, protocol)).result) == data


@pytest.mark.parametrize(
    "body",
    [
        b"I01\n.",
        b"I00\n.",
        b"I7\n.",
        b"L12L\n.",
        b"F1e3\n.",
        b"S'a\\x41\\n'\n.",
        b'S"q"\n.',
        b"V\\u00e9\\n\n.",
        b"T\x02\0\0\0ab.",
        b"U\x02ab.",
        b"\x8a\x02\xff\x7f.",
        b"\x8b\x01\0\0\0\x80.",
        b"]K\x01aK\x02a.",
        b"(K\x01K\x02K\x03K\x04d.",
        b"(K\x01K\x02t.",
        b"N(K\x01K\x022t.",
        b"K\x05(K\x01K\x021.",
        b"K\x05(0.",
        b"K\x01K\x020.",
        b"K\x01p7\n0g7\n.",
        b"K\x01\x94K\x02\x940h\x00.",
        b"\x8f(K\x01K\x02\x90.",
        b"(K\x01K\x01\x91.",
        b"}(K\x01K\x02u.",
        b"C\x02ab.",
        b"\x95\x03\0\0\0\0\0\0\0K\x07..",
    ],
)
def test_hand_made_pickles_come_back(body: bytes) -> None:
    assert made(run(body).result) == pickle.loads(body)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60))
def test_what_python_reads_is_read(data: bytes) -> None:
    """Random opcodes without names or calls: where Python finds an object, so does the machine."""
    risky = b"cRbioPQ\x81\x82\x83\x84\x92\x93\x97\x98"
    data = bytes(byte for byte in data if byte not in risky) + b"."
    try:
        real = pickle.loads(data)
    except Exception:  # noqa: BLE001 - of whatever kind: only what Python reads counts
        return
    machine = run(data)
    assert not machine.names
    if not (isinstance(real, float) and math.isnan(real)):
        assert made(machine.result) == real


def test_names_of_python_2_are_those_of_today() -> None:
    machine = run(b"c__builtin__\nset\nc__builtin__\nxrange\n0.")
    assert set(machine.names) == {("builtins", "set"), ("builtins", "range")}


def test_the_byte_of_a_name_and_of_its_call_is_told() -> None:
    data = b"\x80\x02K\x010ccollections\nOrderedDict\n)R."
    machine = run(data)
    assert machine.names == {("collections", "OrderedDict"): data.index(b"c")}
    assert machine.calls == {("collections", "OrderedDict"): data.index(b"R")}


def test_a_long_string_is_passed_over() -> None:
    data = pickle.dumps({"text": "x" * 1_000_000, "n": 1}, 4)
    assert run(data).result[3] == 1


@pytest.mark.parametrize("cut", range(1, 40, 3))
def test_a_cut_pickle_is_told(cut: int) -> None:
    data = pickle.dumps({"a": [1.5, "text"], "b": (1, 2, 3)}, 2)
    with pytest.raises(Unreadable, match="too early"):
        run(data[:-cut])

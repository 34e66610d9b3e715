"""Whatever Python's own unpickler would look up or call, the machine has seen it as well."""

from __future__ import annotations

import io
import pickle
from contextlib import suppress
from typing import Any

from checkpoints.malicious import FILES
from checkpoints.opcodes import glob, short, text
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipedoctor.checkpoints.pickles.limits import Budget, Unreadable
from pipedoctor.checkpoints.pickles.reader import Machine


class Stub:
    """Stands for a global: it can be called and written to, and does nothing."""

    def __init__(self, name: tuple[str, str], called: set[tuple[str, str]]) -> None:
        self.__dict__["_name"] = name
        self.__dict__["_called"] = called

    def __call__(self, *_: Any, **__: Any) -> dict[str, Any]:
        self._called.add(self._name)
        return {}


class Recorder(pickle._Unpickler):
    """Python's unpickler, which looks nothing up."""

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data))
        self.named: set[tuple[str, str]] = set()
        self.called: set[tuple[str, str]] = set()

    def find_class(self, module: str, name: str) -> Any:
        from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING

        pair = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
        self.named.add(pair)
        return Stub(pair, self.called)

    def persistent_load(self, pid: Any) -> Any:
        return None


pieces = st.sampled_from(
    [
        b"(", b")", b"]", b"}", b"\x8f", b"N", b"\x88", b"0", b"1", b"2", b"t", b"l", b"d",
        b"\x85", b"\x86", b"\x87", b"a", b"e", b"s", b"u", b"\x90", b"\x91", b"R", b"b", b"o",
        b"\x81", b"\x92", b"\x93", b"\x94", b"Q", b"h\x00", b"h\x01", b"h\x02", b"q\x00",
        b"q\x01", b"q\x05", b"p2\n", b"g0\n", b"g1\n", b"r\x02\0\0\0", b"j\x00\0\0\0", b"K\x01",
        b"I00\n", b"S'os'\n", b"Vos\n", b"U\x02os", b"\x80\x02", b"\x80\x04",
        b"ios\nmkdir\n", b"i__builtin__\nset\n",
        glob("os", "mkdir"), glob("collections", "OrderedDict"), glob("__builtin__", "eval"),
        short("os"), short("mkdir"), short("torch"), text("Size"), short("posix"),
        b"\x95\x04\0\0\0\0\0\0\0",
    ]
)  # fmt: skip


@settings(max_examples=1500, deadline=None)
@given(st.lists(pieces, min_size=1, max_size=25).map(b"".join))
@example(short("os") + b"\x94" + short("mkdir") + b"\x94\x93h\x00h\x01\x93")
@example(short("a") + b"q\x00" + short("os") + b"q\x000" + b"h\x00" + short("mkdir") + b"\x93")
@example(b"(" + glob("os", "mkdir") + b"K\x01o")
def test_nothing_is_named_or_called_unseen(body: bytes) -> None:
    data = body + b"."
    real = Recorder(data)
    try:
        real.load()
        whole = True
    except Exception:  # noqa: BLE001 - of whatever kind: what was named until then counts
        whole = False
    machine = Machine(io.BytesIO(data), Budget(), len(data))
    try:
        machine.run()
    except Unreadable:
        assert not whole
    assert real.named <= set(machine.names)
    assert real.called <= set(machine.calls)


def test_the_hand_made_pickles_name_what_python_would_look_up() -> None:
    seen = 0
    for name, build in FILES.items():
        data = build("/nowhere")
        real = Recorder(data)
        with suppress(Exception):  # what was named until then counts
            real.load()
        machine = Machine(io.BytesIO(data), Budget(), len(data))
        with suppress(Unreadable):
            machine.run()
        if name != "stack_global_of_a_long_string.pkl":
            assert real.named <= set(machine.names), name
            assert real.called <= set(machine.calls), name
        else:
            assert machine.tricks
        seen += len(real.named)
    assert seen >= 80

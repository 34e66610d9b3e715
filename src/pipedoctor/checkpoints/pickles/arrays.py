"""How pickles tell of NumPy's arrays."""

from __future__ import annotations

from math import prod

from pipedoctor.checkpoints.pickles.nodes import Call, Global, Rebuilt
from pipedoctor.checkpoints.pickles.rebuilding import ints

CODES = {
    "f8": "F64",
    "f4": "F32",
    "f2": "F16",
    "i8": "I64",
    "i4": "I32",
    "i2": "I16",
    "i1": "I8",
    "u8": "U64",
    "u4": "U32",
    "u2": "U16",
    "u1": "U8",
    "b1": "BOOL",
    "c8": "C64",
    "c16": "C128",
}
"""NumPy's codes of types, as safetensors writes the dtype where it has it."""

_MODULES = {"numpy.core.multiarray", "numpy._core.multiarray"}
_BUFFERS = {"numpy.core.numeric", "numpy._core.numeric"}


def array(node: Call) -> Rebuilt | None:
    """Return the array that a call and its state make, or None where it is none."""
    function, arguments, state = node.function, node.arguments, node.state
    if type(function) is not Global or not isinstance(arguments, tuple):
        return None
    shape, code = None, None
    if function.module in _MODULES and function.name == "_reconstruct":
        if isinstance(state, tuple) and len(state) == 5:
            shape, code = ints(state[1]), code_of(state[2])
    elif function.module in _BUFFERS and function.name == "_frombuffer" and len(arguments) == 4:
        shape, code = ints(arguments[2]), code_of(arguments[1])
    if shape is None or code is None:
        return None
    return Rebuilt(CODES.get(code, code), shape, strides(shape), 0, None)


def code_of(dtype: object) -> str | None:
    """Return the code of a dtype, such as f4."""
    if (
        type(dtype) is Call
        and dtype.named("numpy", "dtype")
        and isinstance(dtype.arguments, tuple)
    ):
        code = dtype.arguments[0] if dtype.arguments else None
        return code if type(code) is str and len(code) < 20 else None
    return None


def strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the strides of an array whose last axis runs fastest."""
    return tuple(prod(shape[axis + 1 :]) for axis in range(len(shape)))

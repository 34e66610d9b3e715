"""How pickles tell of tensors: persistent ids for their memory, calls that rebuild them on it."""

from __future__ import annotations

from pipedoctor.checkpoints.contents import StoredTensor
from pipedoctor.checkpoints.pickles.nodes import Call, Global, Rebuilt, Storage

DTYPES: dict[str, tuple[str, int]] = {
    "float64": ("F64", 8),
    "float32": ("F32", 4),
    "float16": ("F16", 2),
    "bfloat16": ("BF16", 2),
    "int64": ("I64", 8),
    "int32": ("I32", 4),
    "int16": ("I16", 2),
    "int8": ("I8", 1),
    "uint64": ("U64", 8),
    "uint32": ("U32", 4),
    "uint16": ("U16", 2),
    "uint8": ("U8", 1),
    "bool": ("BOOL", 1),
    "complex32": ("C32", 4),
    "complex64": ("C64", 8),
    "complex128": ("C128", 16),
    "float8_e4m3fn": ("F8_E4M3", 1),
    "float8_e5m2": ("F8_E5M2", 1),
    "float8_e4m3fnuz": ("F8_E4M3FNUZ", 1),
    "float8_e5m2fnuz": ("F8_E5M2FNUZ", 1),
    "float8_e8m0fnu": ("F8_E8M0", 1),
    "float4_e2m1fn_x2": ("F4_X2", 1),
    "qint8": ("QI8", 1),
    "quint8": ("QU8", 1),
    "qint32": ("QI32", 4),
    "bits8": ("B8", 1),
    "bits16": ("B16", 2),
    "bits1x8": ("B1X8", 1),
    "bits2x4": ("B2X4", 1),
    "bits4x2": ("B4X2", 1),
    **{f"{sign}int{n}": (f"{sign.upper()}{n}", 1) for sign in ("", "u") for n in range(1, 8)},
}
"""torch's dtypes, as safetensors writes them where it has them, and the bytes of an element."""

STORAGES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
    "QInt8Storage": "qint8",
    "QUInt8Storage": "quint8",
    "QInt32Storage": "qint32",
    "UntypedStorage": "uint8",
}
"""The dtype of each class of storage; of those that pack several elements into a byte, none."""

_PLAIN = {"_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_qtensor"}
_WRAPPED = {"_rebuild_parameter", "_rebuild_parameter_with_state"}


def itemsize(kind: Global) -> int | None:
    """Return the bytes of one element of a storage of this class."""
    dtype = STORAGES.get(kind.name)
    return None if dtype is None else DTYPES[dtype][1]


def storage(told: object) -> Storage | Global | None:
    """Return the storage that a persistent id stands for, or the class that it wraps."""
    if not (isinstance(told, tuple) and 4 <= len(told) <= 6 and type(told[1]) is Global):
        return None
    if told[0] == "module" and len(told) == 4:
        return told[1]
    if told[0] != "storage" or len(told) < 5 or type(told[4]) is not int or told[4] < 0:
        return None
    key = told[2]
    if type(key) not in {str, int}:
        return None
    view = told[5] if len(told) == 6 else None
    if not (isinstance(view, tuple) and len(view) == 3 and ints(view[1:]) is not None):
        return Storage(told[1], str(key), told[3], told[4], None)
    return Storage(told[1], str(key), told[3], told[4], (view[1], view[2]))


def ints(node: object) -> tuple[int, ...] | None:
    """Return the integers of a tuple, list or torch.Size, or None where it holds anything else."""
    if type(node) is Call and node.named("torch", "Size") and isinstance(node.arguments, tuple):
        node = node.arguments[0] if len(node.arguments) == 1 else None
    if isinstance(node, list | tuple) and all(type(item) is int for item in node):
        return tuple(node)
    return None


def rebuilt(function: Global, arguments: object) -> Rebuilt | None:
    """Return the tensor that a call rebuilds, or None where it is no such call."""
    name = function.name
    if not name.startswith("_rebuild_") or not isinstance(arguments, tuple) or not arguments:
        return None
    if function.module == "torch._tensor" and name == "_rebuild_from_type_v2":
        if len(arguments) != 4 or type(arguments[0]) is not Global:
            return None
        return rebuilt(arguments[0], arguments[2]) if arguments[0].name != name else None
    if function.module != "torch._utils":
        return None
    if name in _WRAPPED:
        return arguments[0] if type(arguments[0]) is Rebuilt else None
    if name == "_rebuild_meta_tensor_no_storage":
        return _tensor(None, 0, arguments[1:3], arguments[0])
    if name in _PLAIN and len(arguments) >= 4:
        return _tensor(arguments[0], arguments[1], arguments[2:4], None)
    if name == "_rebuild_tensor_v3" and len(arguments) >= 7:
        return _tensor(arguments[0], arguments[1], arguments[2:4], arguments[6])
    return None


def _tensor(
    memory: object, offset: object, extents: tuple[object, ...], dtype: object
) -> Rebuilt | None:
    shape, stride = (ints(extent) for extent in extents) if len(extents) == 2 else (None, None)
    if shape is None or stride is None or len(shape) != len(stride) or type(offset) is not int:
        return None
    if memory is not None and type(memory) is not Storage:
        return None
    if min((*shape, *stride, offset), default=0) < 0:
        return None
    if dtype is None and memory is not None:
        named = STORAGES.get(memory.kind.name, memory.kind.name)
    elif type(dtype) is Global and dtype.module == "torch":
        named = dtype.name
    else:
        return None
    return Rebuilt(DTYPES[named][0] if named in DTYPES else named, shape, stride, offset, memory)


SIZES = dict(DTYPES.values())
"""The bytes of an element, by the dtype as it is told."""


def stretch(tensor: Rebuilt) -> tuple[int, int]:
    """Return the first element of its storage that a tensor uses, and the one after its last."""
    if 0 in tensor.shape:
        return (tensor.offset, tensor.offset)
    last = sum((n - 1) * step for n, step in zip(tensor.shape, tensor.stride, strict=True))
    return (tensor.offset, tensor.offset + last + 1)


def stored(tensor: Rebuilt, begin: int | None) -> StoredTensor:
    """Return the tensor with its place, where its storage begins at byte `begin` of the file."""
    first, after = stretch(tensor)
    size = SIZES.get(tensor.dtype)
    plain = StoredTensor(tensor.shape, tensor.dtype)
    count = plain.size
    memory = tensor.storage
    if size is None or memory is None:
        return StoredTensor(tensor.shape, tensor.dtype, storage=memory.key if memory else "")
    dense = after - first == count  # a transposed tensor is: its elements fill the stretch
    return StoredTensor(
        tensor.shape,
        tensor.dtype,
        bytes=count * size,
        offset=begin + first * size if begin is not None and dense else None,
        storage=memory.key,
        strides=None if _row_by_row(tensor) else tensor.stride,
    )


def _row_by_row(tensor: Rebuilt) -> bool:
    """Whether the elements follow each other in the order of the indices."""
    step = 1
    for size, stride in zip(reversed(tensor.shape), reversed(tensor.stride), strict=True):
        if size != 1 and stride != step:
            return False
        step *= size
    return True

"""The globals that may stand in a file of weights, and those that need trust, with the reason."""

from __future__ import annotations

_TYPES = (
    "BFloat16",
    "Bool",
    "Byte",
    "Char",
    "Double",
    "Float",
    "Half",
    "Int",
    "Long",
    "Short",
)
_COMPLEX = ("ComplexDouble", "ComplexFloat")
_QUANTIZED = ("QInt32", "QInt8", "QUInt2x4", "QUInt4x2", "QUInt8")
_NARROW = tuple(f"{sign}int{bits}" for sign in ("", "u") for bits in range(1, 8))


def _torch() -> set[tuple[str, str]]:
    storages = [f"{kind}Storage" for kind in (*_TYPES, *_COMPLEX)]
    return {
        ("torch", "Size"),
        ("torch", "Tensor"),
        ("torch", "device"),
        ("torch.nn.parameter", "Parameter"),
        ("torch.serialization", "_get_layout"),
        ("torch.storage", "TypedStorage"),
        ("torch.storage", "UntypedStorage"),
        *(("torch", f"{kind}Tensor") for kind in _TYPES),
        *(("torch.cuda", f"{kind}Tensor") for kind in _TYPES),
        *(
            (f"torch{place}.sparse", f"{kind}Tensor")
            for kind in _TYPES
            if kind != "Bool"
            for place in ("", ".cuda")
        ),
        *(("torch", name) for name in storages),
        *(("torch.cuda", name) for name in storages),
        *(("torch", f"{kind}Storage") for kind in _QUANTIZED),
    }


def _dtypes() -> set[tuple[str, str]]:
    written = (
        "bfloat16 bool complex128 complex32 complex64 float16 float32 float64"
        " int16 int32 int64 int8 uint16 uint32 uint64 uint8"
        " float8_e4m3fn float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz float8_e8m0fnu"
        " bits16 bits1x8 bits2x4 bits4x2 bits8 float4_e2m1fn_x2"
    )
    quantized = [kind.lower() for kind in _QUANTIZED]
    schemes = [
        "per_channel_affine",
        "per_channel_affine_float_qparams",
        "per_channel_symmetric",
        "per_tensor_affine",
        "per_tensor_symmetric",
    ]
    names = (*written.split(), *quantized, *schemes, *_NARROW)
    return {("torch", name) for name in names}


_REBUILDING = {
    ("torch._tensor", "_rebuild_from_type_v2"),
    *(
        ("torch._utils", f"_rebuild_{what}")
        for what in (
            "device_tensor_from_cpu_tensor",
            "device_tensor_from_numpy",
            "meta_tensor_no_storage",
            "nested_tensor",
            "parameter",
            "parameter_with_state",
            "qtensor",
            "sparse_tensor",
            "tensor",
            "tensor_v2",
            "tensor_v3",
            "wrapper_subclass",
        )
    ),
}

ALLOWED = frozenset(
    {
        ("_codecs", "encode"),
        ("builtins", "bytearray"),
        ("builtins", "complex"),
        ("builtins", "set"),
        ("collections", "Counter"),
        ("collections", "OrderedDict"),
        *_torch(),
        *_dtypes(),
        *_REBUILDING,
    }
)
"""What `torch.load(weights_only=True)` of PyTorch 2.13 allows, as module and name."""

ALLOWED_ON_IMPORT = frozenset(
    {
        ("torch.distributed._mesh_layout", "_FlatLayout"),
        ("torch.distributed._mesh_layout", "_MeshLayout"),
        ("torch.nested._internal.nested_tensor", "NestedTensor"),
        ("torch.nested._internal.nested_tensor", "_rebuild_njt"),
    }
)
"""What it allows beyond that because `import torch` registers it."""

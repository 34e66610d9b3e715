"""Files that torch, Trainer, NumPy and joblib write by themselves: none may raise an alarm."""

from __future__ import annotations

import argparse
import collections
import gzip
import pickle
from pathlib import Path
from typing import Any

import pytest


def states(torch: Any) -> dict[str, Any]:
    """Things that are saved, each of a kind of its own."""
    generator = torch.Generator().manual_seed(1)
    base = torch.randn(6, 8, generator=generator)
    dtypes = "float64 float16 bfloat16 int64 int32 int16 int8 uint8 bool complex64 complex128"
    dtypes += " uint16 uint32 uint64 float8_e4m3fn float8_e5m2"
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    model(torch.randn(5, 4, generator=generator)).sum().backward()
    optimizer.step()
    tied = torch.nn.Parameter(base.clone())
    return {
        "state_dict": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scheduler": torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _: 1.0).state_dict(),
        "dtypes": {name: base.to(getattr(torch, name)) for name in dtypes.split()},
        "views": {
            "whole": base,
            "row": base[2],
            "rows": base[1:3],
            "column": base[:, 3],
            "turned": base.t(),
            "spread": base[:1].expand(4, 8),
        },
        "shapes": {"scalar": torch.tensor(3.5), "empty": torch.empty(0, 7), "one": base[:1, :1]},
        "tied": {"a.weight": tied, "b.weight": tied, "buffer": base},
        "nested": {
            "model": {"a.b": base},
            "step": 3,
            "rates": [0.1, 0.2],
            "name": "é",
            "none": None,
        },
        "counted": collections.Counter({"a": 2}),
        "rows": [base, (base, base)],
        "alone": base,
        "sparse": {"s": base.to_sparse()},
        "quantized": {"q": torch.quantize_per_tensor(base, 0.1, 0, torch.qint8)},
        "meta": {"m": torch.empty(2, 3, device="meta")},
        "kinds": {
            "dtype": torch.float16,
            "size": torch.Size([1, 2]),
            "device": torch.device("cpu"),
        },
        "bytes": {"b": b"\x00\xff", "array": bytearray(b"12"), "set": {1, 2}, "c": 1j},
        "long": {"text": "x" * 100_000, "number": 2**200, "false": False},
        "namespace": argparse.Namespace(lr=0.1, epochs=3),
        "default": collections.defaultdict(list, a=[1]),
        "path": {"p": Path("x")},
        "whole_model": model,
        "function": {"f": torch.nn.functional.relu},
    }


def torch_files(folder: Path) -> list[Path]:
    """All of them, in both formats of torch.save and two protocols."""
    torch = pytest.importorskip("torch")
    made = []
    for name, state in states(torch).items():
        for kind, options in (
            ("zip.pt", {}),
            ("legacy.pt", {"_use_new_zipfile_serialization": False}),
            ("p4.pt", {"pickle_protocol": 4}),
        ):
            path = folder / f"{name}.{kind}"
            torch.save(state, path, **options)
            made.append(path)
    return made


def pickle_files(folder: Path) -> list[Path]:
    """Plain data, as each protocol of pickle writes it."""
    data = {"a": [1, 2.5, "x", None, True], "b": (1, b"y"), "c": {"d": -(2**70)}}
    made = []
    for protocol in range(6):
        path = folder / f"plain.p{protocol}.pkl"
        path.write_bytes(pickle.dumps(data, protocol))
        made.append(path)
    packed = folder / "plain.pkl.gz"
    packed.write_bytes(gzip.compress(pickle.dumps(data)))
    return [*made, packed]


def array_files(folder: Path) -> list[Path]:
    """NumPy's and joblib's own files, of numbers and of objects."""
    np = pytest.importorskip("numpy")
    numbers = np.arange(12, dtype=np.float32).reshape(3, 4)
    objects = np.array([None, "x", 3], dtype=object)
    np.save(folder / "numbers.npy", numbers)
    np.save(folder / "turned.npy", np.asfortranarray(numbers))
    np.save(folder / "objects.npy", objects)
    np.savez(folder / "stored.npz", a=numbers, b=np.arange(3))
    np.savez_compressed(folder / "packed.npz", a=numbers, b=np.arange(3))
    np.savez(folder / "objects.npz", a=numbers, b=objects)
    for protocol in range(2, 6):
        (folder / f"array.p{protocol}.pkl").write_bytes(pickle.dumps({"a": numbers}, protocol))
    made = list(folder.glob("*.np*")) + list(folder.glob("array.*"))
    joblib = pytest.importorskip("joblib")
    state = {"a": numbers, "b": objects, "lr": 0.1}
    for name, packing in (("raw", 0), ("zlib", 3), ("gz", "gzip"), ("bz", "bz2"), ("x", "xz")):
        joblib.dump(state, folder / f"{name}.joblib", compress=packing)
    return made + list(folder.glob("*.joblib"))


def trainer_files(folder: Path) -> Path:
    """A checkpoint of Trainer: its folder."""
    import tiny_trainer

    tiny_trainer.train(folder, max_steps=2, save_steps=2)
    return folder / "checkpoint-2"


def distributed_files(folder: Path) -> Path:
    """A distributed checkpoint of one process: its folder."""
    torch = pytest.importorskip("torch")
    from torch.distributed import checkpoint

    state = {"model": torch.nn.Linear(4, 3).state_dict(), "step": 3}
    checkpoint.save(state, checkpoint_id=folder / "dcp", no_dist=True)
    return folder / "dcp"

"""Keras files of our own making, real and altered."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path
from typing import Any

from checkpoints.archives import Entry, zipped

REAL = Path(__file__).parent / "real"


def layer(name: str, module_: str | None = "keras.layers", /, **config: Any) -> dict[str, Any]:
    return {"module": module_, "class_name": name, "config": config, "registered_name": None}


def function(module: str, name: str) -> dict[str, Any]:
    return {
        "module": module,
        "class_name": "function",
        "config": name,
        "registered_name": "function",
    }


def model(*layers: Any) -> dict[str, Any]:
    return layer("Sequential", "keras", name="sequential", layers=list(layers))


BYTECODE = {"class_name": "__lambda__", "config": {"code": "4wEAAAA=", "defaults": None}}
"""As Keras 3 writes a function without a name; the bytes are no whole function."""


def archive(
    *configs: Any, metadata: bool = True, weights: bytes | None = b"", method: int = 0
) -> bytes:
    """Return an archive with these configs, and with the weights of a real one by default."""
    with zipfile.ZipFile(REAL / "dense.keras") as real:
        held = real.read("model.weights.h5") if weights == b"" else weights
        entries = [Entry("metadata.json", real.read("metadata.json"))] if metadata else []
    entries += [
        Entry("config.json", c if isinstance(c, bytes) else json.dumps(c).encode(), method)
        for c in configs
    ]
    entries += [Entry("model.weights.h5", held, method)] if held is not None else []
    return zipped(*entries)


def without_h5py(monkeypatch: Any, tmp_path: Path) -> None:
    """Let the import of h5py fail, here and in processes that are started from here."""
    folder = tmp_path / "first"
    folder.mkdir()
    (folder / "h5py.py").write_text("raise ImportError('not here')\n")
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])

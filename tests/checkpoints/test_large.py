"""The largest headers are read within 200 MB, or not to their end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from checkpoints.headers import LARGEST

pytest.importorskip("resource")  # Windows has no such limits

CHILD = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (200 * 2**20,) * 2)
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
from pipedoctor.checkpoints import formats
found = formats.read(sys.argv[1])
print(found.format, len(found.tensors), any(f.kind is formats.FlawKind.LIMIT for f in found.flaws))
"""
"""All that the process may take, the interpreter and its libraries included."""

TENSORS = {"sparse.safetensors": 320, "many.safetensors": 200_000, "tensors.gguf": 100_000}

QUICK = ("sparse.safetensors", "name.safetensors", "lists.safetensors", "arrays.gguf")
"""Those that are made and read in a moment."""


def within_200_megabytes(name: str, folder: Path) -> None:
    path = folder / name
    LARGEST[name](path)
    ran = subprocess.run(
        [sys.executable, "-c", CHILD, str(path)], capture_output=True, text=True, check=False
    )
    path.unlink()
    assert ran.returncode == 0, ran.stderr
    # Reading that runs out of memory is told as an unknown format.
    format_, tensors, limited = ran.stdout.rsplit(maxsplit=2)
    assert format_ != "unknown format"
    if name in TENSORS:
        assert (int(tensors), limited) == (TENSORS[name], "False")


@pytest.mark.parametrize("name", QUICK)
def test_a_large_header_takes_little_memory(name: str, tmp_path: Path) -> None:
    within_200_megabytes(name, tmp_path)


@pytest.mark.deep
@pytest.mark.parametrize("name", sorted(set(LARGEST) - set(QUICK)))
def test_the_largest_headers_take_little_memory(name: str, tmp_path: Path) -> None:
    within_200_megabytes(name, tmp_path)

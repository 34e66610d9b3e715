"""Random states survive the way through a file of tensors."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from pipedoctor.recorder import states

torch = pytest.importorskip("torch")
np = pytest.importorskip("numpy")


def draw() -> list[object]:
    return [
        random.random(),
        random.gauss(0, 1),
        np.random.rand(),
        np.random.randn(),
        torch.rand(3).tolist(),
    ]


@pytest.mark.parametrize("before", [0, 1])  # a second normal number is kept for the next call
def test_what_is_drawn_next_is_the_same(tmp_path: Path, before: int) -> None:
    safetensors = pytest.importorskip("safetensors.torch")
    for _ in range(before):
        random.gauss(0, 1)
        np.random.randn()
    taken = states.taken()
    first = draw()
    safetensors.save_file(states.packed(taken), tmp_path / "states.safetensors")
    assert draw() != first
    states.put_back(states.unpacked(safetensors.load_file(tmp_path / "states.safetensors")))
    assert draw() == first

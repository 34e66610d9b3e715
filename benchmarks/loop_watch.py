"""
What watching a training loop costs: CPU time of its steps with the hooks in place, over without.

    python benchmarks/loop_watch.py
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from pipedoctor.frameworks.loops.watch import Limits, Watch

STEPS, ROUNDS = 40, 3


def small() -> nn.Module:
    """A few layers, of which each takes microseconds: the worst case."""
    return nn.Sequential(
        nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 4)
    )


def deep() -> nn.Module:
    """An encoder of transformers' kind, of six layers with 256 units."""
    layer = nn.TransformerEncoderLayer(256, 4, 1024, batch_first=True)
    return nn.Sequential(nn.TransformerEncoder(layer, 6), nn.Flatten(), nn.Linear(256 * 64, 4))


def train(build: Callable[[], nn.Module], shape: tuple[int, ...], steps: int) -> float:
    """Return the CPU seconds of so many steps, the first one left out."""
    torch.manual_seed(0)
    model = build()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    began = 0.0
    for number in range(steps + 1):
        if number == 1:
            began = time.process_time()
        optimizer.zero_grad()
        inputs, labels = torch.randn(shape), torch.randint(0, 4, shape[:1])
        nn.functional.cross_entropy(model(inputs), labels).backward()
        optimizer.step()
    return time.process_time() - began


def watched(build: Callable[[], nn.Module], shape: tuple[int, ...], steps: int) -> float:
    """Return the same with the loop watched."""
    problems: list[str] = []
    watch = Watch(Limits(steps=1 << 30, seconds=1e9), problems, enough=_never)
    watch.install()
    try:
        return train(build, shape, steps)
    finally:
        watch.uninstall()
        assert not problems, problems


def _never(_recording: Any) -> None:
    raise AssertionError("the limits are beyond reach")


def main() -> int:
    """Print a line for each model."""
    torch.set_num_threads(1)
    for name, build, shape in (("small", small, (32, 32)), ("deep", deep, (8, 64, 256))):
        for steps in (STEPS, 10 * STEPS) if name == "small" else (STEPS,):
            pairs = [
                (train(build, shape, steps), watched(build, shape, steps)) for _ in range(ROUNDS)
            ]
            ratios = sorted(b / a for a, b in pairs)
            each = sorted(b - a for a, b in pairs)[ROUNDS // 2] / steps * 1000
            print(
                f"{name:6} {steps:4} steps: {ratios[ROUNDS // 2]:.2f} times "
                f"({ratios[0]:.2f} to {ratios[-1]:.2f}), {each:+.2f} ms a step"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())

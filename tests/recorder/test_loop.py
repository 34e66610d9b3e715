"""The recorder around a loop of the user's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from recorder import poisoned

from pipedoctor import Poisoned, recording
from pipedoctor.recorder import capsule, rerun

torch = poisoned.torch


def train(model: Any, optimizer: Any, folder: Path, bad: int, steps: int = 10) -> int:
    """Train one row at a time; return the number of updates."""
    done = 0
    with recording(model, optimizer, folder):
        for step in range(1, steps + 1):
            x = torch.randn(4, 2)
            w = torch.tensor([1.5, 1.5, 0.0 if step == bad else 1.5, 1.5])
            optimizer.zero_grad()
            model(x, w, torch.tensor([0, 1, 0, 1]))["loss"].backward()
            optimizer.step()
            done += 1
    return done


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.AdamW])
def test_it_stops_at_the_step_that_would_spoil_the_weights(tmp_path: Path, kind: Any) -> None:
    torch.manual_seed(0)
    model = poisoned.build()
    optimizer = kind(model.parameters(), lr=0.01)
    with pytest.raises(Poisoned, match="step 7: the loss is") as caught:
        train(model, optimizer, tmp_path, bad=7)
    assert all(p.isfinite().all() for p in model.parameters())
    kept = capsule.read(str(caught.value.capsule))
    assert kept.step == 7
    assert not rerun.run(kept, poisoned.build()).cured
    assert rerun.run(kept, poisoned.mended()).cured
    assert not model._forward_hooks
    assert not optimizer._optimizer_step_pre_hooks


def test_a_healthy_loop_runs_through(tmp_path: Path) -> None:
    model = poisoned.build()
    assert train(model, torch.optim.SGD(model.parameters(), lr=0.01), tmp_path, bad=0) == 10
    assert not list(tmp_path.iterdir())


def test_an_error_of_the_loop_is_passed_on(tmp_path: Path) -> None:
    model = poisoned.build()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with pytest.raises(ZeroDivisionError), recording(model, optimizer, tmp_path):
        raise ZeroDivisionError
    assert not model._forward_hooks


def test_a_sum_that_overflows_is_no_alarm(tmp_path: Path) -> None:
    model = poisoned.build()
    # Squares of 1e30 overflow in float32, the gradients themselves do not.
    model.head.weight.register_hook(lambda gradient: gradient * 0 + 1e30)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-32)
    assert train(model, optimizer, tmp_path, bad=0, steps=2) == 2

"""A watched loop computes what it computes alone, bit for bit."""

from __future__ import annotations

import hashlib
import runpy
from pathlib import Path
from typing import Any

import pytest

from pipedoctor.frameworks.loops.seen import run

torch = pytest.importorskip("torch")

# Batches that are made in other processes are left to the command line.
SCRIPTS = [
    path
    for path in sorted(Path(__file__).parent.joinpath("healthy").glob("*.py"))
    if path.stem != "worker_processes"
]


def bits(tensor: Any) -> bytes:
    """Return the bytes of a tensor of any kind."""
    dense = tensor.detach().to_dense().contiguous().flatten()
    return bytes(dense.view(torch.uint8).numpy().tobytes())


def held(value: Any) -> list[Any]:
    """Return the tensors that a model, a tensor or an optimizer consists of."""
    if isinstance(value, torch.nn.Module):
        own = [*value.parameters(), *value.buffers()]
        return own + [t.grad for t in own if t.requires_grad and t.grad is not None]
    if isinstance(value, torch.optim.Optimizer):
        states = [inner for state in value.state.values() for inner in state.values()]
        return [inner for inner in states if isinstance(inner, torch.Tensor)]
    return [value] if isinstance(value, torch.Tensor) else []


def fingerprint(names: dict[str, Any]) -> dict[str, str]:
    """Hash all that a script has left: weights, buffers, gradients, optimizers, random numbers."""
    left = {name: held(value) for name, value in names.items()}
    left["random"] = [torch.get_rng_state()]
    return {
        name: hashlib.sha256(b"".join(map(bits, tensors))).hexdigest()
        for name, tensors in left.items()
        if tensors
    }


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_nothing_is_computed_differently(path: Path) -> None:
    alone = fingerprint(runpy.run_path(str(path), run_name="__main__"))
    names: dict[str, Any] = {}
    recording, _ = run(lambda: names.update(runpy.run_path(str(path), run_name="__main__")))
    assert recording.ended == "it ended"
    assert fingerprint(names) == alone
    assert len(alone) > 1 or path.stem == "in_a_class"


def test_all_hooks_are_gone_afterwards() -> None:
    from torch.nn.modules import module
    from torch.optim import optimizer

    before = torch.autograd.backward, torch.nn.Module.load_state_dict
    run(lambda: runpy.run_path(str(SCRIPTS[0]), run_name="__main__"))
    assert (torch.autograd.backward, torch.nn.Module.load_state_dict) == before
    assert not module._global_forward_hooks
    assert not module._global_forward_pre_hooks
    assert not optimizer._global_optimizer_pre_hooks
    assert not optimizer._global_optimizer_post_hooks

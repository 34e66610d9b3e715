"""A watched loop computes what it computes alone, bit for bit."""

from __future__ import annotations

import hashlib
import runpy
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from pipedoctor.frameworks.loops.seen import run

SCRIPTS = sorted(Path(__file__).parent.joinpath("healthy").glob("*.py"))


def fingerprint(names: dict[str, Any]) -> dict[str, str]:
    """Hash all that a script has left: weights, buffers, gradients, optimizers, random numbers."""
    told = {"random": hashlib.sha256(torch.get_rng_state().numpy().tobytes()).hexdigest()}
    for name, value in names.items():
        digest = hashlib.sha256()
        if isinstance(value, torch.nn.Module):
            for tensor in (*value.parameters(), *value.buffers()):
                digest.update(tensor.detach().numpy().tobytes())
                if getattr(tensor, "grad", None) is not None:
                    digest.update(tensor.grad.to_dense().numpy().tobytes())
        elif isinstance(value, torch.Tensor):
            digest.update(value.detach().to_dense().numpy().tobytes())
        elif isinstance(value, torch.optim.Optimizer):
            for state in value.state.values():
                for held in state.values():
                    digest.update(
                        torch.as_tensor(held).numpy().tobytes()
                        if not isinstance(held, list)
                        else b""
                    )
        else:
            continue
        told[name] = digest.hexdigest()
    return told


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_nothing_is_computed_differently(path: Path) -> None:
    if path.stem == "worker_processes":
        pytest.skip("its batches come from processes of their own; the command line runs it")
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

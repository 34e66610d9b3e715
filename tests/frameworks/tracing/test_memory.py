"""What a replay needs of memory: that of the step, and little besides."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
from nan_faults import BY_NAME, Head

torch = pytest.importorskip("torch")

from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402 - after importorskip

from pipedoctor.frameworks.tracing.replay import State, Step, replay  # noqa: E402 - likewise


class Living(TorchDispatchMode):
    """Counts the bytes of the storages that live, and the most there were."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.most = 0
        self._known: set[int] = set()

    def __torch_dispatch__(
        self, func: Any, _types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        for tensor in out if isinstance(out, (tuple, list)) else (out,):
            if isinstance(tensor, torch.Tensor):
                storage = tensor.untyped_storage()
                if storage._cdata not in self._known:
                    self._known.add(storage._cdata)
                    self.now += storage.nbytes()
                    weakref.finalize(storage, self._gone, storage._cdata, storage.nbytes())
        self.most = max(self.most, self.now)
        return out

    def _gone(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.now -= size


class Deep(torch.nn.Module):
    """Layers enough that their activations are most of a step's memory, and then the fault."""

    def __init__(self, fault: Callable[[Any, Any], Any]) -> None:
        super().__init__()
        self.layers = torch.nn.ModuleList(torch.nn.Linear(16, 16) for _ in range(12))
        self.head = Head(fault)

    def forward(self, x: Any, weight: Any, labels: Any) -> Any:
        for layer in self.layers:
            x = torch.tanh(layer(x))
        logits = self.head(x, weight)
        return {"loss": torch.nn.functional.cross_entropy(logits, labels)}


def most(function: Callable[[], object]) -> int:
    with Living() as living:
        function()
    return living.most


@pytest.mark.parametrize(
    "fault",
    [None, BY_NAME["log_of_zero"], BY_NAME["root_backwards"]],
    ids=lambda f: f.name if f else "none",
)
def test_a_replay_takes_less_than_twice_the_memory_of_a_step(fault: Any) -> None:
    model = Deep(fault.head if fault else lambda h, _: h)
    weight = torch.ones(4096, 1)
    weight[[3, 7]] = 0.0
    batch = {
        "x": torch.randn(4096, 16),
        "weight": weight if fault else torch.ones(4096, 1),
        "labels": torch.zeros(4096, dtype=torch.long),
    }
    step = Step(model, lambda m, inputs: m(**inputs)["loss"], nullcontext)
    state = State.of(model)
    bare = most(lambda: step.loss(batch).backward())
    found = []
    searched = most(lambda: found.append(replay(step, batch, state)))
    assert (found[0] is None) is (fault is None)
    assert searched < 1.5 * bare

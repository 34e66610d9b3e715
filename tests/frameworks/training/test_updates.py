"""One step, to see what it changes; and nothing of it stays."""

from __future__ import annotations

from typing import Any

import pytest

from pipedoctor import frameworks
from pipedoctor.facts import Updates
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline

torch = pytest.importorskip("torch")


class Linear(torch.nn.Module):  # type: ignore[misc]  # torch is Any here
    def __init__(self, dtype: Any) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = torch.nn.Linear(8, 8, dtype=dtype)
        self.unused = torch.nn.Linear(8, 8, dtype=dtype)
        with torch.no_grad():
            self.layer.weight.copy_(torch.linspace(-0.5, 0.5, 64).view(8, 8))
            self.layer.bias.fill_(0.25)

    def forward(self, x: Any) -> dict[str, Any]:
        x = x.to(self.layer.weight.dtype)
        return {"loss": self.layer(x).float().square().mean() + 0 * self.unused(x).float().sum()}


def updates(model: Any, optimizer: Any) -> Updates:
    rows = [{"x": [float(n + k) for k in range(8)]} for n in range(8)]
    given = Parts(
        {"model": model, "optimizer": optimizer, "train_data": rows, "settings": {"bf16": False}}
    )
    return Pipeline(given, frameworks.probes(given)).fact(Updates)


@pytest.mark.parametrize(("rate", "lost"), [(1e-6, True), (1e-1, False)])
def test_small_steps_are_lost_in_bfloat16(rate: float, lost: bool) -> None:
    model = Linear(torch.bfloat16)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.0)
    before = [p.detach().clone() for p in model.parameters()]
    found = updates(model, optimizer)
    assert found.elements == 72  # those that are not used have no gradient
    assert (found.share == 1.0, found.share == 0.0) == (lost, not lost)
    assert all(torch.equal(p, old) for p, old in zip(model.parameters(), before, strict=True))
    assert not optimizer.state
    assert optimizer.param_groups[0]["lr"] == rate


def test_the_rate_is_the_highest_of_the_schedule() -> None:
    model = Linear(torch.bfloat16)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-1, weight_decay=0.0)
    torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: step / 100)
    assert optimizer.param_groups[0]["lr"] == 0
    assert updates(model, optimizer).learning_rate == 1e-1
    assert optimizer.param_groups[0]["lr"] == 0


def test_of_float32_weights_nothing_is_run() -> None:
    model = Linear(torch.float32)
    model.forward = None
    found = updates(model, torch.optim.SGD(model.parameters(), lr=1e-6))
    assert (found.elements, found.share) == (0, 0.0)


def test_hooks_on_the_step_of_the_user_rest_and_come_back() -> None:
    from torch.optim.optimizer import (
        register_optimizer_step_post_hook,
        register_optimizer_step_pre_hook,
    )

    model = Linear(torch.bfloat16)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-1)
    ran: list[str] = []
    handles = [
        optimizer.register_step_pre_hook(lambda *_: ran.append("before")),
        optimizer.register_step_post_hook(lambda *_: ran.append("after")),
        register_optimizer_step_pre_hook(lambda *_: ran.append("before all")),
        register_optimizer_step_post_hook(lambda *_: ran.append("after all")),
    ]
    try:
        assert updates(model, optimizer).elements == 72
        assert not ran
        optimizer.step()
        assert ran == ["before all", "before", "after", "after all"]
    finally:
        for handle in handles:
            handle.remove()
    optimizer.step()
    assert len(ran) == 4  # the handles still remove them


class Stepless(torch.optim.SGD):  # type: ignore[misc]  # torch is Any here
    def step(self, closure: Any = None) -> None:
        assert not self._optimizer_step_post_hooks
        raise RuntimeError("no step today")


def test_hooks_come_back_where_a_step_fails() -> None:
    from pipedoctor.frameworks.restoring.stepping import steps_undone

    model = Linear(torch.float32)
    optimizer = Stepless(model.parameters(), lr=1e-1)
    hook = lambda *_: None  # noqa: E731 - to be found again by identity
    optimizer.register_step_post_hook(hook)
    with pytest.raises(RuntimeError, match="no step today"), steps_undone(model, optimizer):
        optimizer.step()
    assert list(optimizer._optimizer_step_post_hooks.values()) == [hook]

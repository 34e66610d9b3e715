"""The recorder around a loop of the user's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from recorder import poisoned

from pipedoctor import Poisoned, Unavailable, frameworks, recording
from pipedoctor.facts import Trace
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline
from pipedoctor.recorder import capsule

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
    assert not poisoned.replayed(kept.path, poisoned.build()).finite
    assert poisoned.replayed(kept.path, poisoned.mended()).finite
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


def test_the_precision_of_a_pass_is_kept(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = poisoned.build()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    x, w, y = torch.randn(4, 2), torch.tensor([1.5, 0.0, 1.5, 1.5]), torch.tensor([0, 1, 0, 1])

    def step() -> None:
        with recording(model, optimizer, tmp_path):
            with torch.autocast("cpu", torch.bfloat16):
                loss = model(x, w, y)["loss"]
            loss.backward()
            optimizer.step()

    with pytest.raises(Poisoned) as caught:
        step()
    assert [made.half for made in capsule.read(str(caught.value.capsule)).passes] == ["bf16"]
    trace = poisoned.replayed(str(caught.value.capsule), poisoned.build())
    assert "each loss is bit for bit the recorded one" in trace.notes


def test_an_optimizer_under_a_scaler_is_left_to_it(tmp_path: Path) -> None:
    model = poisoned.build()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01, fused=True)
    with recording(model, optimizer, tmp_path, wait=False):
        model(torch.randn(4, 2), torch.full((4,), 1.5), torch.tensor([0, 1, 0, 1]))[
            "loss"
        ].backward()
        model.head.weight.grad[0, 0] = float("inf")
        optimizer.found_inf = torch.tensor(1.0)  # as GradScaler sets them
        optimizer.grad_scale = torch.tensor(1024.0)
        optimizer.step()
        assert float(optimizer.grad_scale) == 1024
        del optimizer.found_inf, optimizer.grad_scale
    assert all(p.isfinite().all() for p in model.parameters())
    assert not list(tmp_path.iterdir())


def test_after_trouble_the_optimizer_goes_on(tmp_path: Path) -> None:
    model = poisoned.build()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01, fused=True)
    x, y = torch.randn(4, 2), torch.tensor([0, 1, 0, 1])

    def step(weight: float) -> None:
        optimizer.zero_grad()
        model(x, torch.full((4,), weight), y)["loss"].backward()
        optimizer.step()

    def steps() -> None:
        with recording(model, optimizer, tmp_path, wait=False):
            for weight in (1.5, 0.0, 1.5):
                step(weight)

    with pytest.raises(Poisoned, match="step 2"):
        steps()
    before = model.head.weight.detach().clone()
    step(1.5)
    assert not torch.equal(before, model.head.weight)


def test_the_optimizers_of_accelerate(tmp_path: Path) -> None:
    accelerate = pytest.importorskip("accelerate")
    accelerate.Accelerator(cpu=True)  # its optimizers ask for the state that this one sets up
    model = poisoned.build()
    optimizer = accelerate.optimizer.AcceleratedOptimizer(
        torch.optim.SGD(model.parameters(), lr=0.01)
    )
    with pytest.raises(Poisoned, match="step 3"):
        train(model, optimizer, tmp_path, bad=3)


class Bare(torch.nn.Module):  # type: ignore[misc]  # torch is Any here
    """A model without a loss, whose log meets a negative number in one row."""

    def __init__(self, least: float = -1.0) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(2, 1)
        self.least = least

    def forward(self, x: Any) -> Any:
        return self.layer(x.clamp_min(self.least).log())


def stopped(folder: Path) -> Poisoned:
    model = Bare()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    x = torch.tensor([[1.0, 1.0], [2.0, 1.0], [1.0, -0.5], [1.0, 3.0]])

    def train_once() -> None:
        with recording(model, optimizer, folder):
            model(x).square().mean().backward()
            optimizer.step()

    with pytest.raises(Poisoned) as caught:
        train_once()
    return caught.value


def replayed(path: str | None, **parts: Any) -> Any:
    given = Parts({"trace": {"capsule": path}, **parts})
    return Pipeline(given, frameworks.probes(given)).fact(Trace)


def test_a_loss_that_is_computed_beside_the_model_is_said_not_to_be_seen(tmp_path: Path) -> None:
    told = str(stopped(tmp_path))
    assert "the loss was not seen" in told
    assert "the loss is finite" not in told
    assert ":FUNCTION` finds the origin; FUNCTION is one of yours" in told
    assert '{"model": model, "loss": function}' in told


def test_an_answer_that_is_not_finite_needs_no_loss(tmp_path: Path) -> None:
    trace = replayed(stopped(tmp_path).capsule, model=Bare())
    assert trace.origin.operation == "aten.log"
    assert trace.places == (2,)


def test_the_cure_of_such_a_model_is_proved_with_its_loss_only(tmp_path: Path) -> None:
    path = stopped(tmp_path).capsule
    with pytest.raises(Unavailable, match="have the function return both"):
        replayed(path, model=Bare(least=0.1))
    assert replayed(path, model=Bare(least=0.1), loss=lambda z: z.square().mean()).finite
    assert not replayed(path, model=Bare(), loss=lambda z: z.square().mean()).finite
    with pytest.raises(Unavailable, match="holds no labels that the model did not get"):
        replayed(path, model=Bare(least=0.1), loss=torch.nn.functional.mse_loss)


def test_nothing_is_recorded_of_a_script_that_is_only_examined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipedoctor.recorder.loop.aside", True)
    model = poisoned.build()
    assert train(model, torch.optim.SGD(model.parameters(), lr=0.01), tmp_path, bad=3) == 10
    assert not list(tmp_path.iterdir())

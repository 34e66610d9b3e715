"""Whatever happens while a batch is learned: everything is as it was."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

import numpy as np  # noqa: E402 - after importorskip
from overfit_healthy import trained  # noqa: E402 - likewise
from overfit_pipelines import Pictures, bert, case, overfit, pictures, tokens  # noqa: E402 - likewise

from pipedoctor.fact import Unavailable  # noqa: E402 - likewise
from pipedoctor.facts import Overfit  # noqa: E402 - likewise
from pipedoctor.frameworks.learning.torch_learner import TorchLearner  # noqa: E402 - likewise
from pipedoctor.frameworks.restoring import spilling, stepping  # noqa: E402 - likewise
from pipedoctor.frameworks.restoring.digests import digest  # noqa: E402 - likewise
from pipedoctor.pipeline import ProbeFailed  # noqa: E402 - likewise


def used_optimizer(model: Any, rows: Any) -> Any:
    """An optimizer that has made two steps with a schedule, so that there is state to lose."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: (step + 1) / 100)
    x = torch.tensor([row["x"] for row in rows[:8]])
    y = torch.tensor([row["labels"] for row in rows[:8]])
    for _ in range(2):
        model(x, y)["loss"].backward()
        optimizer.step()
        schedule.step()
    return optimizer


def test_an_optimizer_with_state_batch_norm_and_gradients_are_put_back() -> None:
    torch.manual_seed(0)
    model, rows = Pictures(), pictures(0)
    optimizer = used_optimizer(model, rows)  # gradients are left behind, too
    counted: list[Any] = []
    optimizer.register_step_post_hook(lambda *_: counted.append(1))
    before = digest(model, optimizer)
    keys = set(vars(optimizer))
    tensors = [parameter.data_ptr() for parameter in model.parameters()]
    fact = overfit({"model": model, "train_data": rows, "optimizer": optimizer})
    assert fact.learns
    assert fact.steps > 0
    assert not counted
    assert digest(model, optimizer) == before
    assert fact.restored
    assert set(vars(optimizer)) == keys
    assert [parameter.data_ptr() for parameter in model.parameters()] == tensors


def test_the_digest_changes_with_each_thing_that_it_stands_for() -> None:
    torch.manual_seed(0)
    model, rows = Pictures(), pictures(0)
    optimizer = used_optimizer(model, rows)
    seen = {digest(model, optimizer)}

    def changed() -> bool:
        told = digest(model, optimizer)
        new = told not in seen
        seen.add(told)
        return new

    with torch.no_grad():
        model.one.weight[0, 0, 0, 0] += 1e-7
    assert changed()
    model.norm.running_mean[0] += 1e-7
    assert changed()
    model.two.weight.grad = None
    assert changed()
    model.eval()
    assert changed()
    optimizer.param_groups[0]["lr"] *= 2
    assert changed()
    optimizer.state[model.two.weight]["exp_avg"][0, 0] += 1e-7
    assert changed()
    torch.rand(1)
    assert changed()
    random.random()
    assert changed()
    np.random.rand()  # noqa: NPY002 - the state that scripts use
    assert changed()


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
@pytest.mark.parametrize("after", [0, 3, 7])
def test_an_interruption_leaves_all_as_it_was(
    monkeypatch: pytest.MonkeyPatch, error: type[BaseException], after: int
) -> None:
    one = case("bert", 0)
    one.rate = 1e-9  # so that other rates are tried as well
    parts = one.parts()
    before = digest(parts["model"], parts["optimizer"])
    update, made = TorchLearner.update, []

    def interrupted(self: Any) -> None:
        if len(made) == after:
            raise error
        made.append(1)
        update(self)

    monkeypatch.setattr(TorchLearner, "update", interrupted)
    with pytest.raises(error if error is KeyboardInterrupt else ProbeFailed):
        overfit(parts)
    assert len(made) == after
    assert digest(parts["model"], parts["optimizer"]) == before


def test_a_trainer_is_left_as_it_was(tmp_path: Path) -> None:
    torch.manual_seed(0)
    parts = trained(bert(), tokens("classes", 0), tmp_path / "out", learning_rate=5e-4)
    trainer = parts["trainer"]
    before, state = digest(trainer.model), dict(vars(trainer))
    config = trainer.model.config.to_dict()
    fact = overfit(parts)
    assert fact.learns
    assert digest(trainer.model) == before
    assert {name for name in vars(trainer) if vars(trainer)[name] is not state[name]} == set()
    assert trainer.optimizer is None
    assert trainer.model.config.to_dict() == config
    assert next(m.p for m in trainer.model.modules() if isinstance(m, torch.nn.Dropout)) == 0.1
    assert list((tmp_path / "out").iterdir()) == []  # Trainer makes the folder itself


def test_where_memory_is_short_the_copies_lie_in_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = case("bert", 0).parts()
    before = digest(parts["model"], parts["optimizer"])
    monkeypatch.setattr(stepping, "available", lambda: 1000)
    fact = overfit(parts)
    assert fact.learns
    assert fact.restored
    assert digest(parts["model"], parts["optimizer"]) == before
    assert any("temporary file" in note for note in fact.notes)


def test_no_room_anywhere_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = case("network", 0).parts()
    monkeypatch.setattr(stepping, "available", lambda: 1000)
    monkeypatch.setattr(
        spilling.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000})()
    )
    with pytest.raises(Unavailable, match=r"no room .* copies of weights and optimizer take"):
        overfit(parts)


def test_every_kind_of_tensor_comes_back_from_the_file() -> None:
    spill = spilling.Spill(1000)
    held = [
        torch.tensor([1.5, float("nan"), -0.0]),
        torch.ones(2, 3, dtype=torch.bfloat16),
        torch.tensor(7),
        torch.empty(0, 4),
        torch.tensor([True, False]),
        torch.arange(6).reshape(2, 3).t(),
    ]
    kept = [spill.keep(tensor) for tensor in held]
    for tensor, one in zip(held, kept, strict=True):
        back = one.read()
        assert back.dtype == tensor.dtype
        assert back.shape == tensor.shape
        assert torch.equal(back.nan_to_num(9), tensor.nan_to_num(9))


def test_the_time_limit_ends_it_without_a_verdict() -> None:
    one = case("bert", 0)
    one.rate = 1e-9
    fact = overfit(one, run={"time_limit": 1e-9})
    assert isinstance(fact, Overfit)
    assert fact.verdict == "inconclusive"
    assert fact.restored
    assert "--time 120" in fact.cut


def test_a_live_pipeline_has_the_figures_in_its_report() -> None:
    import pipedoctor

    report = pipedoctor.examine(**case("network", 0).parts(), overfit={"steps": 50})
    (told,) = report.figures["Overfit"]
    assert (told["verdict"], told["restored"], told["cut"]) == ("learns", True, "")
    assert "Overfit" not in pipedoctor.examine(**case("network", 0).parts()).figures

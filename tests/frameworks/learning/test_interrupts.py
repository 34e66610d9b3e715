"""Ctrl-C at any moment of a training that is tried, while all is put back too: nothing is changed."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from interrupting import after_lines  # noqa: E402 - after importorskip
from overfit_healthy import trained  # noqa: E402 - after importorskip
from overfit_pipelines import Pictures, bert, case, pictures, tokens  # noqa: E402 - likewise

from pipedoctor import frameworks  # noqa: E402 - likewise
from pipedoctor.fact import Fact  # noqa: E402 - likewise
from pipedoctor.facts import Overfit, RangeTest  # noqa: E402 - likewise
from pipedoctor.frameworks.learning.torch_learner import TorchLearner  # noqa: E402 - likewise
from pipedoctor.frameworks.restoring import interrupts  # noqa: E402 - likewise
from pipedoctor.frameworks.restoring.digests import digest  # noqa: E402 - likewise
from pipedoctor.parts import Parts  # noqa: E402 - likewise
from pipedoctor.pipeline import Pipeline  # noqa: E402 - likewise


def measured(kind: type[Fact], parts: dict[str, Any]) -> Fact:
    wish = {"overfit": {"steps": 50}} if kind is Overfit else {"range_test": {"steps": 30}}
    given = Parts({**parts, **wish})
    return Pipeline(given, frameworks.probes(given)).fact(kind)


def pictured() -> dict[str, Any]:
    torch.manual_seed(0)
    model, rows = Pictures(), pictures(0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-9)
    model(torch.tensor([r["x"] for r in rows]), torch.tensor([r["labels"] for r in rows]))[
        "loss"
    ].backward()
    optimizer.step()
    return {
        "model": model,
        "train_data": rows,
        "optimizer": optimizer,
        "settings": {
            "learning_rate": 1e-9,
            "max_steps": 2000,
            "per_device_train_batch_size": 8,
            "remove_unused_columns": False,
        },
    }


@pytest.mark.parametrize("kind", [Overfit, pytest.param(RangeTest, marks=pytest.mark.deep)])
def test_at_any_line(kind: type[Fact]) -> None:
    parts = pictured()
    before = digest(parts["model"], parts["optimizer"])
    handler = signal.getsignal(signal.SIGINT)
    lines = after_lines(-1, lambda: measured(kind, parts))
    assert digest(parts["model"], parts["optimizer"]) == before
    assert lines > 500
    # All over it, and closely where all is put back.
    for number in [*range(1, lines, lines // 6), *range(lines - 150, lines - 3, 11)]:
        with pytest.raises(KeyboardInterrupt):
            after_lines(number, lambda: measured(kind, parts))
        assert digest(parts["model"], parts["optimizer"]) == before, number
        assert signal.getsignal(signal.SIGINT) is handler


def test_while_weights_are_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = case("bert", 0).parts()
    before = digest(parts["model"], parts["optimizer"])
    calls: list[int] = []
    copy = torch.Tensor.copy_

    def copied(tensor: Any, *words: Any) -> Any:
        calls.append(1)
        if len(calls) > 3:
            signal.raise_signal(signal.SIGINT)  # and again, and again
        return copy(tensor, *words)

    monkeypatch.setattr(torch.Tensor, "copy_", copied)
    with pytest.raises(KeyboardInterrupt):
        measured(Overfit, parts)
    monkeypatch.undo()
    assert len(calls) > 10
    assert digest(parts["model"], parts["optimizer"]) == before


def test_a_second_one_breaks_a_step_off(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = case("network", 0).parts()
    before = digest(parts["model"], parts["optimizer"])
    reached = []

    def forward(*words: Any, **keywords: Any) -> Any:
        if interrupts._held and interrupts._held[0].stepping:
            signal.raise_signal(signal.SIGINT)
            reached.append("first")
            signal.raise_signal(signal.SIGINT)
            reached.append("second")
        return type(parts["model"]).forward(parts["model"], *words, **keywords)

    parts["model"].forward = forward
    with pytest.raises(KeyboardInterrupt):
        measured(Overfit, parts)
    assert reached == ["first"]
    assert digest(parts["model"], parts["optimizer"]) == before


def test_a_trainer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    parts = trained(bert(), tokens("classes", 0), tmp_path / "out", learning_rate=5e-4)
    trainer = parts["trainer"]
    before, held = digest(trainer.model), dict(vars(trainer))
    update = TorchLearner.update

    def interrupted(self: Any, *words: Any) -> None:
        update(self, *words)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(TorchLearner, "update", interrupted)
    for kind in (Overfit, RangeTest):
        with pytest.raises(KeyboardInterrupt):
            measured(kind, parts)
        assert digest(trainer.model) == before
        assert {name for name in vars(trainer) if vars(trainer)[name] is not held[name]} == set()


def test_whoever_ignores_them_goes_on_ignoring_them() -> None:
    parts = case("network", 0).parts()
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert measured(Overfit, parts)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, handler)


def test_a_handler_of_the_users_own_gets_it_once() -> None:
    parts = case("network", 0).parts()
    got: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, _frame: got.append(number))
    try:
        with interrupts.held():
            signal.raise_signal(signal.SIGINT)
            assert got == []
        assert got == [signal.SIGINT]
        assert measured(Overfit, parts)
    finally:
        signal.signal(signal.SIGINT, handler)

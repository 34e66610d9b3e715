"""The flight recorder on a real Trainer: it stops before the weights are spoilt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from recorder import poisoned

from pipedoctor import FlightRecorder, Poisoned, Unavailable
from pipedoctor.recorder import capsule, capsule_writing, judge
from pipedoctor.recorder.rows import Indices

torch = poisoned.torch


@pytest.mark.parametrize("wait", [True, False])
@pytest.mark.parametrize("accumulation", [1, 2])
def test_it_stops_before_the_update_and_names_the_row(
    tmp_path: Path, wait: bool, accumulation: int
) -> None:
    recorder = FlightRecorder(wait=wait)
    trainer = poisoned.trainer(tmp_path, recorder, gradient_accumulation_steps=accumulation)
    with pytest.raises(Poisoned, match=r"loss .*is -?(inf|nan)") as caught:
        trainer.train()
    assert all(p.isfinite().all() for p in trainer.model.parameters())
    assert caught.value.capsule == recorder.capsule is not None
    kept = capsule.read(recorder.capsule)
    assert len(kept.passes) == accumulation
    guilty = [made for made in kept.passes if poisoned.BAD_ROW in (made.rows or ())]
    assert len(guilty) == 1
    (at,) = (n for n, row in enumerate(guilty[0].rows or ()) if row == poisoned.BAD_ROW)
    assert guilty[0].keywords["w"][at] == 0


@pytest.mark.parametrize("accumulation", [1, 2])
def test_the_step_is_run_again_bit_for_bit_and_the_cure_is_proved(
    tmp_path: Path, accumulation: int
) -> None:
    recorder = FlightRecorder()
    trainer = poisoned.trainer(tmp_path, recorder, gradient_accumulation_steps=accumulation)
    seen: list[Any] = []
    trainer.model.head.register_forward_pre_hook(lambda _, words: seen.append(words[0].clone()))
    with pytest.raises(Poisoned):
        trainer.train()
    again = poisoned.build()
    repeated: list[Any] = []
    again.head.register_forward_pre_hook(lambda _, words: repeated.append(words[0].clone()))
    trace = poisoned.replayed(str(recorder.capsule), again)
    assert "each loss is bit for bit the recorded one" in trace.notes
    assert trace.rows == (poisoned.BAD_ROW,)
    assert trace.origin.operation == "aten.log"
    for one, other in zip(seen[-accumulation:], repeated, strict=False):
        assert torch.equal(one, other)  # dropout and batch statistics included
    assert len(repeated) >= accumulation
    assert poisoned.replayed(str(recorder.capsule), poisoned.mended()).finite


def test_a_healthy_training_is_the_same_with_it(tmp_path: Path) -> None:
    without = poisoned.trainer(tmp_path, None, bad=None)
    without.train()
    watched = poisoned.trainer(tmp_path, FlightRecorder(), bad=None)
    watched.train()
    deferred = poisoned.trainer(tmp_path, FlightRecorder(wait=False), bad=None)
    deferred.train()
    for other in (watched, deferred):
        pairs = zip(poisoned.digest(without.model), poisoned.digest(other.model), strict=True)
        assert all(torch.equal(one, two) for one, two in pairs)
    assert not watched.model._forward_hooks
    assert not watched.model._forward_pre_hooks
    assert not list(tmp_path.glob("pipedoctor-capsule*"))


@pytest.mark.parametrize("wait", [True, False])
def test_without_stopping_the_update_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], wait: bool
) -> None:
    trainer = poisoned.trainer(tmp_path, FlightRecorder(stop=False, wait=wait), max_steps=40)
    inner: list[Any] = []
    made = trainer.create_optimizer

    def create(*words: Any) -> Any:
        inner.append(made(*words))
        return inner[-1]

    trainer.create_optimizer = create
    trainer.train()
    assert trainer.state.global_step == 40
    assert all(p.isfinite().all() for p in trainer.model.parameters())
    told = capsys.readouterr().err
    assert told.count("this update is left out") == 2  # the row comes once an epoch
    assert {int(state["step"]) for state in inner[-1].state.values()} == {38}
    assert not hasattr(inner[-1], "found_inf")  # or every later update would be left out
    assert not hasattr(inner[-1], "grad_scale")
    assert len(list(tmp_path.glob("pipedoctor-capsule*"))) == 1


def test_weights_that_were_spoilt_before_are_told_as_such(tmp_path: Path) -> None:
    trainer = poisoned.trainer(tmp_path, FlightRecorder(), bad=None)
    with torch.no_grad():
        trainer.model.head.bias[1] = float("nan")
    with pytest.raises(Poisoned, match=r"step 1: head\.bias holds NaN or Inf already"):
        trainer.train()


def test_a_capsule_too_large_is_not_written(tmp_path: Path) -> None:
    recorder = FlightRecorder(largest=100)
    with pytest.raises(Poisoned, match="no capsule could be written: it would take") as caught:
        poisoned.trainer(tmp_path, recorder).train()
    assert caught.value.capsule is None
    assert not list(tmp_path.glob("pipedoctor-capsule*"))


def test_a_batch_written_to_by_the_model_is_noted(tmp_path: Path) -> None:
    recorder = FlightRecorder()
    trainer = poisoned.trainer(tmp_path, recorder)
    plain = trainer.model.forward

    def forward(x: Any, w: Any, labels: Any = None) -> Any:
        x.add_(1)
        return plain(x=x, w=w, labels=labels)

    trainer.model.forward = forward
    with pytest.raises(Poisoned):
        trainer.train()
    described = json.loads((Path(str(recorder.capsule)) / "capsule.json").read_text())
    assert [made["mutated"] for made in described["passes"]] == [True]


def test_an_error_of_another_kind_leaves_nothing_for_the_next_training(tmp_path: Path) -> None:
    recorder = FlightRecorder()
    trainer = poisoned.trainer(tmp_path, recorder, bad=None, max_steps=4)
    step = trainer.training_step

    def failing(*words: Any) -> Any:
        step(*words)
        raise MemoryError

    trainer.training_step = failing
    with pytest.raises(MemoryError):
        trainer.train()
    trainer.training_step = step
    trainer.train()
    assert not trainer.model._forward_hooks
    assert not trainer.model._forward_pre_hooks
    assert not isinstance(recorder._indices._loader.batch_sampler, Indices)


def test_what_keeps_a_capsule_from_being_written_is_not_what_ends_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> str:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(capsule_writing, "write", failing)
    with pytest.raises(Poisoned, match="no capsule could be written: out of memory"):
        poisoned.trainer(tmp_path, FlightRecorder()).train()


def test_labels_that_the_model_never_sees_are_no_riddle(tmp_path: Path) -> None:
    class Logits(poisoned.Weighted):
        def forward(self, x: Any, w: Any, labels: Any = None) -> Any:
            logits = self.head(self.drop(self.norm(self.body(x)).relu()))
            return {"logits": logits * w.log()[:, None]}

    recorder = FlightRecorder()
    trainer = poisoned.trainer(tmp_path, recorder)
    trainer.model = trainer.model_wrapped = Logits()
    trainer.compute_loss_func = lambda outputs, labels, num_items_in_batch=None: (
        torch.nn.functional.cross_entropy(outputs["logits"], labels)
    )
    with pytest.raises(Poisoned):
        trainer.train()
    with pytest.raises(Unavailable, match="computed beside the model, by"):
        poisoned.replayed(str(recorder.capsule), Logits())


def test_gradients_too_large_for_their_norm_are_explained(tmp_path: Path) -> None:
    recorder = FlightRecorder()
    trainer = poisoned.trainer(tmp_path, recorder, bad=None, max_grad_norm=0)
    # Trainer measures the norm also of gradients that it does not clip, and such squares are no float32.
    small = trainer.model.forward

    def forward(x: Any, w: Any, labels: Any = None) -> Any:
        answer = small(x, w, labels)
        return {**answer, "loss": answer["loss"] * 1e33}

    trainer.model.forward = forward
    with pytest.raises(Poisoned, match="the loss is finite, but gradients are not"):
        trainer.train()
    again = poisoned.build()
    plain = again.forward
    again.forward = lambda **words: {"loss": plain(**words)["loss"] * 1e33}
    trace = poisoned.replayed(str(recorder.capsule), again)
    assert not trace.finite
    assert trace.origin.family == "gradients-beyond-float32"


def test_the_norm_that_a_trainer_has_found_is_not_computed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []
    look = judge.suspicion
    monkeypatch.setattr(judge, "suspicion", lambda *words: looked.append(1) or look(*words))
    poisoned.trainer(tmp_path, FlightRecorder(), bad=None, max_steps=4).train()
    assert not looked
    with pytest.raises(Poisoned):
        poisoned.trainer(tmp_path, FlightRecorder()).train()
    assert looked == [1]


def test_a_norm_of_the_users_own_is_not_relied_on(tmp_path: Path) -> None:
    class Own(type(poisoned.trainer(tmp_path, None))):  # type: ignore[misc]  # made at run time
        def _get_grad_norm(self, *_words: Any, **_known: Any) -> float:
            return 1.0

    trainer = poisoned.trainer(tmp_path, FlightRecorder())
    trainer.__class__ = Own
    with pytest.raises(Poisoned, match="step"):
        trainer.train()


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float64", "complex64"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1.0])
def test_one_number_tells_of_all_gradients(dtype: str, value: float) -> None:
    parameters = [torch.nn.Parameter(torch.zeros(300, dtype=getattr(torch, dtype))) for _ in "ab"]
    for parameter in parameters:
        parameter.grad = torch.full_like(parameter, 1000.0)  # in float16, the sum is infinite
    parameters[1].grad[7] = value
    told = judge.suspicion(parameters, [])
    assert bool(told.isfinite()) is (value == 1.0)

"""Losses that are computed beside the model: recorded as a whole, replayed bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from recorder import poisoned

from pipedoctor import FlightRecorder, Poisoned, Unavailable, frameworks
from pipedoctor.facts import Trace
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline
from pipedoctor.recorder import capsule

torch = poisoned.torch
transformers = poisoned.transformers


class Rooted(poisoned.Weighted):  # type: ignore[misc]  # torch is Any here
    """No loss, and logits under a root whose slope at a weight of 0 is none; the loss is finite."""

    config = transformers.PretrainedConfig()  # Trainer asks for it where labels are smoothed

    def forward(self, x: Any, w: Any) -> Any:
        logits = self.head(self.drop(self.norm(self.body(x)).relu()))
        root = (logits * w[:, None]).square().sum(-1, keepdim=True) + self.eps
        return {"logits": logits + root.sqrt()}


def entropy(outputs: Any, labels: Any, num_items_in_batch: Any = None) -> Any:
    total = torch.nn.functional.cross_entropy(outputs["logits"], labels, reduction="sum")
    return total / num_items_in_batch


class Drawing(transformers.Trainer):  # type: ignore[misc]  # likewise
    """Draws a number before it calls the model, twice, and gives it no labels."""

    def compute_loss(self, model: Any, inputs: Any, *_: Any, **__: Any) -> Any:
        labels = inputs.pop("labels")
        inputs["x"] = inputs["x"] * torch.rand(())
        each = [model(**inputs)["logits"] for _ in range(2)]
        return sum(torch.nn.functional.cross_entropy(logits, labels) for logits in each)


KINDS: dict[str, dict[str, Any]] = {
    "label smoothing": {"label_smoothing_factor": 0.1},
    "compute_loss_func": {"compute_loss_func": entropy},
    "compute_loss": {"kind": Drawing},
}


def trainer(folder: Path, kind: str, recorder: Any = None, **stated: Any) -> Any:
    words = dict(KINDS[kind])
    build = words.pop("kind", transformers.Trainer)
    function = words.pop("compute_loss_func", None)
    torch.manual_seed(0)
    return build(
        model=Rooted(),
        args=transformers.TrainingArguments(
            output_dir=str(folder),
            use_cpu=True,
            report_to="none",
            disable_tqdm=True,
            max_steps=20,
            per_device_train_batch_size=8,
            save_strategy="no",
            label_names=["labels"],
            remove_unused_columns=False,
            **words,
            **stated,
        ),
        train_dataset=poisoned.rows(),
        callbacks=[] if recorder is None else [recorder],
        **({} if function is None else {"compute_loss_func": function}),
    )


def replayed(path: str, model: Any, **parts: Any) -> Trace:
    given = Parts({"model": model, "trace": {"capsule": path}, **parts})
    return Pipeline(given, frameworks.probes(given)).fact(Trace)


def recorded(folder: Path, kind: str, seen: list[Any] | None = None, **stated: Any) -> str:
    recorder = FlightRecorder(wait=stated.pop("wait", True))
    held = trainer(folder, kind, recorder, **stated)
    if seen is not None:
        held.model.head.register_forward_hook(lambda *words: seen.append(words[2].clone()))
    with pytest.raises(Poisoned, match="the update was not made"):
        held.train()
    return str(recorder.capsule)


@pytest.mark.parametrize("stated", [{}, {"gradient_accumulation_steps": 2}, {"wait": False}])
@pytest.mark.parametrize("kind", KINDS)
def test_such_a_step_is_run_again_bit_for_bit(
    tmp_path: Path, kind: str, stated: dict[str, Any]
) -> None:
    passes = stated.get("gradient_accumulation_steps", 1) * (2 if kind == "compute_loss" else 1)
    seen: list[Any] = []
    path = recorded(tmp_path, kind, seen, **stated)
    if not stated.get("wait", True):
        seen = seen[:-passes]  # it is told one step later
    again = Rooted()
    repeated: list[Any] = []
    again.head.register_forward_hook(lambda *words: repeated.append(words[2].clone()))
    target = {"trainer": trainer(tmp_path, kind)} if kind != "label smoothing" else {}
    trace = replayed(path, again, **target)
    assert trace.origin is not None
    assert trace.origin.family == "root-has-no-slope-at-zero"
    assert trace.rows == (poisoned.BAD_ROW,)
    for one, other in zip(seen[-passes:], repeated, strict=False):
        assert torch.equal(one, other)
    kept = capsule.read(path)
    assert [made.rows is not None for made in kept.passes] == [True] * len(kept.passes)
    last = poisoned.BAD_ROW in (kept.passes[-1].rows or ())
    assert kept.passes[-1].loss is not None
    assert abs(kept.passes[-1].loss) < float("inf")
    if last:
        assert any("bit for bit the recorded one" in note for note in trace.notes), trace.notes


@pytest.mark.parametrize("kind", KINDS)
def test_the_cure_is_proved(tmp_path: Path, kind: str) -> None:
    path = recorded(tmp_path, kind)
    mended = Rooted(eps=1e-6)
    target = {"trainer": trainer(tmp_path, kind)} if kind != "label smoothing" else {}
    assert replayed(path, mended, **target).finite


@pytest.mark.parametrize("kind", ["compute_loss_func", "compute_loss"])
def test_what_only_the_trainer_knows_is_asked_for(tmp_path: Path, kind: str) -> None:
    path = recorded(tmp_path, kind)
    with pytest.raises(
        Unavailable, match=r"beside the model, by .*(entropy|Drawing\.compute_loss)"
    ):
        replayed(path, Rooted())
    other = trainer(tmp_path, "label smoothing")
    with pytest.raises(Unavailable, match="the trainer of the target has label smoothing instead"):
        replayed(path, Rooted(), trainer=other)


def test_in_mixed_precision_only_the_model_computes_in_it(tmp_path: Path) -> None:
    path = recorded(tmp_path, "label smoothing", bf16=True)
    trace = replayed(path, Rooted())
    assert trace.rows == (poisoned.BAD_ROW,)
    assert "each loss is bit for bit the recorded one" in trace.notes


def test_a_capsule_of_another_loss_than_is_known_is_refused(tmp_path: Path) -> None:
    path = Path(recorded(tmp_path, "label smoothing")) / "capsule.json"
    path.write_text(path.read_text().replace('"epsilon"', '"more"'))
    with pytest.raises(Unavailable, match="contradicts itself"):
        replayed(str(path.parent), Rooted())


class Logged(transformers.Trainer):  # type: ignore[misc]  # likewise
    """A loss that is infinite for the bad row."""

    def compute_loss(self, model: Any, inputs: Any, *_: Any, **__: Any) -> Any:
        labels = inputs.pop("labels")
        logits = model(**inputs)["logits"]
        return (torch.nn.functional.cross_entropy(logits, labels) * 0 / inputs["w"]).mean()


def test_the_value_of_a_loss_beside_the_model_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(KINDS, "infinite", {"kind": Logged})
    monkeypatch.setattr("sys.argv", ["train.py"])
    recorder = FlightRecorder()
    with pytest.raises(Poisoned, match=r"step \d+: the loss is nan; .* train\.py` finds"):
        trainer(tmp_path, "infinite", recorder).train()

"""What is tried before training: the metrics function, and saving."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pipedoctor
from pipedoctor import frameworks
from pipedoctor.facts import Evaluation, SaveDryRun
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")


def classifier() -> Any:
    from transformers import BertConfig, BertForSequenceClassification

    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    return BertForSequenceClassification(
        BertConfig(vocab_size=40, intermediate_size=16, num_labels=2, **sizes)
    )


def data() -> Any:
    from datasets import Dataset

    rows = [[2, *range(5, 5 + n), 3] for n in (1, 1, 6, 1)]
    return Dataset.from_dict({"input_ids": rows, "labels": [0, 1, 0, 1]}).map(
        lambda row: {"input_ids": (row["input_ids"] + [0] * 8)[:8]}
    )


def pipeline(metrics: Callable[..., Any], **more: Any) -> Pipeline:
    parts = Parts({"model": classifier(), "eval_data": data(), "metrics": metrics, **more})
    return Pipeline(parts, frameworks.probes(parts))


def test_the_metrics_function_gets_what_trainer_would_give_it() -> None:
    def metrics(prediction: Any) -> dict[str, float]:
        got = f"{prediction.predictions.shape} {prediction.label_ids.tolist()}"
        return {got: 1.0, "eval_f1": 0.5}

    found = pipeline(metrics).fact(Evaluation)
    assert found.metrics == ("eval_(4, 2) [0, 1, 0, 1]", "eval_f1")


@pytest.mark.parametrize(
    ("metrics", "code"),
    [
        (lambda prediction: {"x": float(prediction.predictions)}, "EVA002"),
        (lambda prediction: 0.5, "RUN001"),
        (lambda prediction: {"x": prediction.nothing}, "RUN001"),
    ],
)
def test_a_metrics_function_that_raises(metrics: Callable[..., Any], code: str) -> None:
    report = pipedoctor.examine(
        model=classifier(),
        eval_data=data(),
        metrics=metrics,
        settings={"eval_strategy": "epoch", "metric_for_best_model": "f1", "max_steps": 9},
    )
    assert report.entries[0].rule.code == code
    assert "Rehearsing the evaluation" in report.entries[0].finding.message


def test_names_need_no_rehearsal() -> None:
    assert pipeline(["accuracy"]).fact(Evaluation).metrics == ("eval_accuracy",)


def test_saving_is_tried_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    parts = Parts({"model": classifier()})
    written = Pipeline(parts, frameworks.probes(parts)).fact(SaveDryRun).files
    assert written["model.safetensors"] > 1000
    assert os.listdir(tmp_path) == []


def test_tied_tensors_are_told_before_the_first_checkpoint() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Linear(4, 4))
    model[1].weight = model[0].weight
    report = pipedoctor.examine(model=model)
    assert report.entries[0].rule.code == "CKP012"
    assert "Some tensors share memory" in report.entries[0].finding.message


def test_a_run_that_saves_nothing_is_not_tried() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Linear(4, 4))
    model[1].weight = model[0].weight
    report = pipedoctor.examine(model=model, settings={"save_strategy": "no", "max_steps": 1})
    assert "CKP012" not in {entry.rule.code for entry in report.entries}


def with_own_loss(text: str) -> Any:
    """A trainer with a loss of its own, on data whose labels the model would not take."""
    from transformers import Trainer, TrainingArguments

    names: dict[str, Any] = {"Trainer": Trainer, "torch": torch}
    exec(f"class Mine(Trainer):\n    {text}", names)
    arguments = TrainingArguments(
        tempfile.gettempdir(),
        use_cpu=True,
        remove_unused_columns=False,
        max_steps=1,
        report_to="none",
    )
    targets = data().rename_column("labels", "target")
    return names["Mine"](classifier(), arguments, train_dataset=targets)


def test_a_loss_of_the_trainers_own_is_the_loss() -> None:
    text = (
        "def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):\n"
        "        self.seen = True\n"
        "        target = inputs.pop('target')\n"
        "        return torch.nn.functional.cross_entropy(model(**inputs).logits, target)"
    )
    trainer = with_own_loss(text)
    report = pipedoctor.examine(trainer)
    assert report.ready, report
    assert not hasattr(trainer, "seen")
    (forward,) = [fact for fact in report.facts if fact["fact"] == "Forward"]
    assert 0.5 < forward["loss"] < 1.0


def test_a_loss_that_refuses_the_item_count() -> None:
    trainer = with_own_loss("def compute_loss(self, model, inputs, return_outputs=False): pass")
    assert pipedoctor.examine(trainer).entries[0].rule.code == "LOS004"

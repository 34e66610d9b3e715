"""`pipedoctor nan-trace` as users run it, on a real model that is fine-tuned on real texts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli.conftest import Run, contents
from resources import minilm, reuters

pytest.importorskip("transformers")

WEIGHTED = """
import json
import torch
from transformers import (
    AutoModel, AutoTokenizer, DataCollatorWithPadding, Trainer, TrainingArguments
)

FOLDER = "examples/qnli/minilm"


class Weighted(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = AutoModel.from_pretrained(FOLDER)
        self.head = torch.nn.Linear(self.encoder.config.hidden_size, 8)

    def forward(self, input_ids, attention_mask, age, labels=None):
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask)
        logits = self.head(hidden.last_hidden_state[:, 0])
        each = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
        weight = torch.log(age)
        weight = 1 / weight
        return {"loss": (each * weight).sum() / weight.sum(), "logits": logits}


def build(model=Weighted):
    tokenizer = AutoTokenizer.from_pretrained(FOLDER)
    data = [
        {**tokenizer(row["text"], truncation=True, max_length=32),
         "age": row["age"], "labels": row["labels"]}
        for row in json.load(open("rows.json"))
    ]
    args = TrainingArguments(
        "out", per_device_train_batch_size=8, max_steps=4, report_to="none", use_cpu=True
    )
    return Trainer(
        model=model(), args=args, train_dataset=data, processing_class=tokenizer,
        data_collator=DataCollatorWithPadding(tokenizer),
    )


if __name__ == "__main__":
    build().train()
"""

TINY = """
import torch


def root():
    class Root(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Linear(2, 1)

        def forward(self, x, labels=None):
            return {"loss": torch.sqrt(self.linear(x).square()).mean() + torch.log(x).mean()}

    return Root()


def plain():
    return torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Tanh())
"""


@pytest.fixture
def weighted(project: Path) -> Path:
    texts = reuters()[:24]
    names = sorted({label for label, _ in texts})
    rows = [
        {"text": text, "age": 1.0 if n == 13 else 2.0 + n, "labels": names.index(label)}
        for n, (label, text) in enumerate(texts)
    ]
    (project / "rows.json").write_text(json.dumps(rows))
    (project / "weighted.py").write_text(WEIGHTED)
    return project


def test_the_row_of_a_real_fine_tuning_is_named(pipedoctor: Run, weighted: Path) -> None:
    done = pipedoctor("nan-trace", "weighted:build", "--all", "--output-format", "json")
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    told = report["nan_trace"]
    assert (told["batch"], told["rows"], told["places"]) == (1, [13], [5])
    line = WEIGHTED.splitlines().index("        weight = 1 / weight") + 1
    cause = told["causes"][0]
    assert (cause["operation"], cause["where"]["line"]) == ("aten.reciprocal", line)
    assert Path(cause["where"]["file"]).name == "weighted.py"
    assert told["origin"]["operation"] == "aten.div"
    text = reuters()[13][1].lower().split()
    assert " ".join(text[:3]) in told["shows"][0]
    assert [f["code"] for f in report["findings"]] == ["NUM020"]
    assert report["findings"][0]["where"]["rows"] == [13]


@pytest.mark.deep
def test_batches_before_it_are_proved_finite(pipedoctor: Run, weighted: Path) -> None:
    done = pipedoctor("nan-trace", "weighted.py", "--batches", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Finite: loss and gradients of 1 batch, 256 tokens" in done.stdout


def test_a_model_with_rows_of_a_file(pipedoctor: Run, project: Path) -> None:
    (project / "tiny.py").write_text(TINY)
    rows = [{"x": [1.0 + n, 0.0 if n == 11 else 2.0], "labels": 0} for n in range(20)]
    (project / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    before = contents(project)
    done = pipedoctor("nan-trace", "--model", "tiny:root", "--data", "rows.jsonl", "--all")
    assert contents(project) == before
    assert done.returncode == 1, done.stderr
    assert "-inf is born in aten.log" in done.stdout
    assert "batch 1: row 11 of the training data" in done.stdout
    assert "tiny.py:12 │ return" in done.stdout


def test_a_model_without_data(pipedoctor: Run, project: Path) -> None:
    (project / "tiny.py").write_text(TINY)
    done = pipedoctor("nan-trace", "--model", "tiny:plain", "--steps", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the inputs are made up" in done.stdout
    assert "2 batches, 2 steps" in done.stdout


@pytest.mark.deep
def test_the_folder_of_a_model(pipedoctor: Run) -> None:
    done = pipedoctor("nan-trace", "--model", str(minilm()), "--output-format", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["nan_trace"]["finite"] is True


def test_what_cannot_be_looked_at_is_not_proved(pipedoctor: Run, project: Path) -> None:
    (project / "broken.py").write_text("def model():\n    raise ValueError('no weights here')\n")
    done = pipedoctor("nan-trace", "--model", "broken:model")
    assert done.returncode == 1
    assert "no weights here" in done.stdout
    assert "Finite" not in done.stdout


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ((), "either a TARGET or --model"),
        (("a.json", "--model", "b"), "either a TARGET or --model"),
        (("--model", "nowhere"), "there is no such folder"),
        (("--model", "a:b", "--data", "nowhere.csv"), "there is no such file"),
    ],
)
def test_wrong_usage(pipedoctor: Run, words: tuple[str, ...], text: str) -> None:
    done = pipedoctor("nan-trace", *words)
    assert done.returncode == 2
    assert text in done.stderr

"""The size of a checkpoint, against the one that a real Trainer writes."""

from __future__ import annotations

import pytest
import resources

from pipedoctor.facts import CheckpointPlan
from pipedoctor.probes import installed

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

ROWS = [{"input_ids": [101, 7592, 102], "attention_mask": [1, 1, 1], "labels": 0}] * 2


def save(source, path, **settings):
    """Train one step, and return the folder of its checkpoint."""
    model = transformers.AutoModelForSequenceClassification.from_pretrained(source, num_labels=2)
    arguments = transformers.TrainingArguments(
        str(path), max_steps=1, use_cpu=True, report_to="none", disable_tqdm=True, **settings
    )
    tokenizer = None
    if (source / "tokenizer.json").is_file():
        tokenizer = transformers.AutoTokenizer.from_pretrained(source)
    transformers.Trainer(model, arguments, train_dataset=ROWS, processing_class=tokenizer).train()
    return path / "checkpoint-1"


def plan(subject, source, **settings):
    return subject(
        settings={"max_steps": 1, **settings},
        files={"model": source},
        environment={"transformers": installed.versions(["transformers"])["transformers"]},
    ).fact(CheckpointPlan)


def size(path):
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def test_a_checkpoint_of_a_real_model(subject, tmp_path):
    source = resources.minilm()
    checkpoint = save(source, tmp_path)
    planned = plan(subject, source)
    assert size(checkpoint) == pytest.approx(planned.bytes_each, rel=0.03)
    weights = (checkpoint / "model.safetensors").stat().st_size
    assert weights == pytest.approx(planned.weights_bytes, rel=0.03)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A BERT whose files are small, but not so small that others outweigh them."""
    config = transformers.BertConfig(
        vocab_size=30522,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
    )
    made = {}
    for dtype in (torch.float32, torch.bfloat16):
        path = tmp_path_factory.mktemp("tiny")
        transformers.BertModel(config).to(dtype).save_pretrained(path)
        made[dtype] = path
    return made


@pytest.mark.parametrize(
    ("settings", "dtype"),
    [
        ({"optim": "sgd"}, torch.float32),
        ({"optim": "adagrad"}, torch.float32),
        ({"optim": "rmsprop"}, torch.float32),
        ({"optim": "adafactor"}, torch.float32),
        ({"optim": "adamw_torch"}, torch.bfloat16),
        ({"save_only_model": True}, torch.float32),
        ({"bf16": True}, torch.float32),
    ],
)
def test_checkpoints_of_other_optimizers_and_types(subject, tmp_path, tiny, settings, dtype):
    checkpoint = save(tiny[dtype], tmp_path, **settings)
    planned = plan(subject, tiny[dtype], **settings)
    weights = (checkpoint / "model.safetensors").stat().st_size
    assert weights == pytest.approx(planned.weights_bytes, rel=0.03)
    assert size(checkpoint) == pytest.approx(planned.bytes_each, rel=0.03)
    assert (checkpoint / "optimizer.pt").exists() is not ("save_only_model" in settings)

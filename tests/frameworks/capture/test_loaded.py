"""The folder that a model was loaded from is told by its weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from pipedoctor.frameworks.capture import loaded  # noqa: E402 - only where the libraries are

SMALL = {
    "vocab_size": 40,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
}


@pytest.fixture
def folder(tmp_path: Path) -> str:
    transformers.BertModel(transformers.BertConfig(**SMALL)).save_pretrained(tmp_path)
    return str(tmp_path)


def classifier(folder: str, **more: Any) -> Any:
    return transformers.BertForSequenceClassification.from_pretrained(folder, **more)


def test_a_loaded_model_with_a_new_head(folder: str) -> None:
    assert loaded.folder(classifier(folder)) == folder
    assert loaded.folder(classifier(folder, dtype=torch.float16)) == folder


def test_without_its_head(folder: str, tmp_path: Path) -> None:
    classifier(folder).save_pretrained(tmp_path / "whole")
    base = transformers.BertModel.from_pretrained(tmp_path / "whole")
    assert loaded.folder(base) == str(tmp_path / "whole")


def test_other_rows_in_its_vocabulary_make_no_difference(folder: str) -> None:
    model = classifier(folder)
    model.resize_token_embeddings(64)
    assert loaded.folder(model) == folder


def test_a_model_that_has_only_the_config_of_a_folder(folder: str) -> None:
    config = transformers.AutoConfig.from_pretrained(folder)
    model = transformers.BertForSequenceClassification(config)
    assert model.name_or_path == folder
    assert loaded.folder(model) is None


def test_a_model_that_has_learned_since(folder: str) -> None:
    model = classifier(folder)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.01)
    assert loaded.folder(model) is None


def test_an_adapter_around_it(folder: str) -> None:
    peft = pytest.importorskip("peft")
    config = peft.LoraConfig(target_modules=["query"], task_type="SEQ_CLS")
    assert loaded.folder(peft.get_peft_model(classifier(folder), config)) == folder


def test_weights_that_cannot_be_read(folder: str) -> None:
    model = classifier(folder)
    (Path(folder) / "model.safetensors").write_bytes(b"nothing of the kind")
    assert loaded.folder(model) is None
    (Path(folder) / "model.safetensors").unlink()
    assert loaded.folder(model) is None


@pytest.mark.parametrize("model", [None, object(), torch.nn.Linear(2, 2)])
def test_what_has_no_name(model: object) -> None:
    assert loaded.folder(model) is None


def test_a_live_trainer_has_the_files_of_its_model(folder: str, tmp_path: Path) -> None:
    import pipedoctor

    arguments = transformers.TrainingArguments(str(tmp_path / "out"), use_cpu=True, report_to=[])
    trainer = transformers.Trainer(classifier(folder), arguments, train_dataset=[{"labels": 0}])
    report = pipedoctor.examine(trainer)
    files = [fact for fact in report.facts if fact["fact"] == "ModelFiles"]
    assert [fact["name"] for fact in files] == [folder]

import re

import pytest
from data_facts import model
from facts import findings, model_files, settings, the_finding

from pipedoctor.fact import UNKNOWN, Unavailable
from pipedoctor.facts import ModelFiles
from pipedoctor.facts.model import Parameter
from pipedoctor_checks.numerics.fp16_weights_with_fp16_amp import (
    fp16_weights_with_fp16_amp as check,
)


def files(dtype: str, **config: object) -> ModelFiles:
    return model_files("gpt2", dtype=dtype, **config)


@pytest.mark.parametrize(
    ("version", "stated", "model"),
    [
        ("5.23.0", {}, files("F16", torch_dtype="float16")),
        ("5.0.0", {}, files("F16", torch_dtype="float16")),
        ("5.23.0", {}, files("F16")),
        ("5.23.0", {}, files("F32", torch_dtype="float16")),
        ("5.23.0", {"dtype": "auto"}, files("F16")),
        ("5.23.0", {"dtype": "float16"}, files("F32", torch_dtype="float32")),
        ("4.57.6", {"torch_dtype": "float16"}, files("F32")),
        ("4.57.6", {"torch_dtype": "auto"}, files("F16")),
    ],
)
def test_weights_that_come_as_float16(
    version: str, stated: dict[str, object], model: ModelFiles
) -> None:
    found = the_finding(check, settings(version, fp16=True, **stated), model, None)

    assert "dtype=torch.float32" in found.remedy
    assert found.where.key == next(iter(stated), "fp16")


@pytest.mark.parametrize(
    ("version", "stated", "model"),
    [
        ("5.23.0", {"fp16": False}, files("F16")),
        ("5.23.0", {"fp16": False, "bf16": True}, files("F16")),
        ("5.23.0", {}, files("F32")),
        ("5.23.0", {}, files("BF16", torch_dtype="bfloat16")),
        ("5.23.0", {}, files("F16", torch_dtype="float32")),
        ("5.23.0", {"dtype": "float32"}, files("F16", torch_dtype="float16")),
        ("5.23.0", {"use_cpu": True}, files("F16")),
        ("4.57.6", {}, files("F16", torch_dtype="float16")),
        ("4.57.6", {"no_cuda": True, "torch_dtype": "float16"}, files("F16")),
    ],
)
def test_weights_that_do_not_or_no_scaling(
    version: str, stated: dict[str, object], model: ModelFiles
) -> None:
    assert findings(check, settings(version, **{"fp16": True, **stated}), model, None) == []


@pytest.mark.parametrize(
    "stated", [{"use_peft": True}, {"lora_r": 8}, {"deepspeed": "ds.json"}, {"fsdp": "full_shard"}]
)
def test_what_updates_other_weights_is_not_judged(stated: dict[str, object]) -> None:
    with pytest.raises(Unavailable):
        findings(check, settings(fp16=True, **stated), files("F16"), None)


def test_a_release_of_which_it_is_not_known_is_not_judged() -> None:
    with pytest.raises(Unavailable, match=r"4\.58\.0 loads a model in the dtype .* not known"):
        findings(check, settings("4.58.0", fp16=True), files("F16"), None)
    stated = settings("4.58.0", fp16=True, torch_dtype="float16")
    assert 'torch_dtype is "float16"' in the_finding(check, stated, files("F32"), None).message


def test_a_pickle_is_not_guessed_at() -> None:
    pickled = ModelFiles("m", "m", {"model_type": "gpt2"}, UNKNOWN)

    with pytest.raises(Unavailable):
        findings(check, settings(fp16=True), pickled, None)


@pytest.mark.parametrize(
    ("dtype", "trainable", "found"),
    [("float16", True, 1), ("float32", True, 0), ("float16", False, 0)],
)
def test_a_loaded_model_is_judged_by_its_own_weights(
    dtype: str, trainable: bool, found: int
) -> None:
    loaded = model(parameters={"w": Parameter((2, 2), dtype, trainable)})
    for held in (files("F16"), files("F32"), None):
        assert len(findings(check, settings(fp16=True), held, loaded)) == found


def test_without_model_and_files_nothing_is_said() -> None:
    with pytest.raises(Unavailable, match="neither the model nor its files"):
        findings(check, settings(fp16=True), None, None)


def test_the_text_is_that_of_torch() -> None:
    torch = pytest.importorskip("torch")
    layer = torch.nn.Linear(2, 2).half()
    optimizer = torch.optim.AdamW(layer.parameters())
    scaler = torch.amp.GradScaler("cpu")
    scaler.scale(layer(torch.ones(1, 2).half()).float().sum()).backward()

    with pytest.raises(ValueError, match="FP16") as caught:
        scaler.unscale_(optimizer)
    assert any(re.search(pattern, str(caught.value)) for pattern in check.symptoms)


def test_from_pretrained_loads_as_it_says(tmp_path: object) -> None:
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    config = transformers.BertConfig(
        vocab_size=20,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=8,
    )
    transformers.BertModel(config).half().save_pretrained(tmp_path)
    model = transformers.BertModel.from_pretrained(tmp_path)

    half = int(transformers.__version__.partition(".")[0]) >= 5
    assert (next(model.parameters()).dtype == torch.float16) is half

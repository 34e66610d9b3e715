"""The calls that are said to load a checkpoint load it, and those that are said to fail do."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipedoctor import registry
from pipedoctor.examination import Examination
from pipedoctor.fact import Cost
from pipedoctor.options import Options
from pipedoctor.targets import checkpoint

SMALL: dict[str, Any] = {
    "vocab_size": 60,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": 32,
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, the same in shards, a wider one, and an adapter."""
    transformers = pytest.importorskip("transformers")
    peft = pytest.importorskip("peft")
    folder = tmp_path_factory.mktemp("saved")
    family = transformers.BertForSequenceClassification
    model = family(transformers.BertConfig(**SMALL))
    model.save_pretrained(folder / "model")
    model.save_pretrained(folder / "shards", max_shard_size="8KB")
    wide = transformers.BertConfig(**{**SMALL, "hidden_size": 24})
    family(wide).save_pretrained(folder / "wide")
    lora = peft.LoraConfig(task_type="SEQ_CLS", r=4, target_modules=["query"])
    model.name_or_path = str(folder / "model")
    peft.get_peft_model(model, lora).save_pretrained(folder / "adapter")
    return folder


def config(name: str = "config.json", **values: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / name
        path.write_text(json.dumps({**json.loads(path.read_text()), **values}))

    return change


def without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def cut(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / name).write_bytes((folder / name).read_bytes()[:40])

    return change


def wider(folder: Path) -> None:
    shutil.copy(folder.parent / "wide" / "model.safetensors", folder)


def pickled(folder: Path) -> None:
    import torch
    from safetensors.torch import load_file

    path = folder / "model.safetensors"
    weights = {name: tensor.clone() for name, tensor in load_file(path).items()}
    path.unlink()  # what is mapped must not be written over
    torch.save(weights, path)


VARIANTS: dict[str, tuple[str, Callable[[Path], None] | None, set[str]]] = {
    "whole": ("model", None, set()),
    "in shards": ("shards", None, set()),
    "adapter": ("adapter", None, {"CKP060"}),
    "config cut": ("model", cut("config.json"), {"CKP041"}),
    "another width": ("model", config(hidden_size=24), {"CKP068"}),
    "wider weights": ("model", wider, {"CKP068"}),
    "more positions": ("model", config(max_position_embeddings=64), {"CKP068"}),
    "more words": ("model", config(vocab_size=70), {"CKP062"}),
    "more labels": ("model", config(id2label={"0": "a", "1": "b", "2": "c"}), {"CKP061"}),
    "another family": ("model", config(model_type="roberta"), {"CKP069"}),
    "a pickle": ("model", pickled, {"CKP042"}),
    "a pointer": (
        "model",
        lambda f: (f / "model.safetensors").write_text(  # type: ignore[func-returns-value]  # unused
            "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
        ),
        {"CKP031"},
    ),
    "weights missing": ("model", without("model.safetensors"), {"CKP039"}),
    "index missing": ("shards", without("model.safetensors.index.json"), {"CKP039"}),
    "adapter without config": ("adapter", without("adapter_config.json"), {"CKP039", "CKP060"}),
    "adapter without weights": ("adapter", without("adapter_model.safetensors"), {"CKP039"}),
    "adapter of another rank": (
        "adapter",
        config("adapter_config.json", r=8),
        {"CKP015", "CKP060"},
    ),
    "adapter of other modules": (
        "adapter",
        config("adapter_config.json", target_modules=["q_proj"]),
        {"CKP015", "CKP060"},
    ),
}


@pytest.mark.parametrize("what", VARIANTS)
def test_what_loads_loads_and_what_fails_fails(
    what: str, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import transformers

    source, change, codes = VARIANTS[what]
    folder = saved / f"v_{what}".replace(" ", "_")
    shutil.copytree(saved / source, folder)
    if change is not None:
        change(folder)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    report = Examination(
        checkpoint.read(str(folder)),
        registry.load(),
        Options(depth=Cost.FILES),
        figures=("Loading",),
    ).run()
    assert {o.rule.code for o in report.outcomes if o.findings} == codes
    (loading,) = report.figures["Loading"]
    ways = loading["ways"]
    assert ways or loading["reason"]
    for way in ways:
        if "once it is renamed" in way["note"] or "gguf" in way["code"]:
            continue
        base = transformers.AutoModelForSequenceClassification.from_pretrained(saved / "model")
        fails = _fails(way["code"], {"base": base, **vars(transformers)})
        assert fails is bool(way["error"]), way


def _fails(code: str, names: dict[str, Any]) -> bool:
    """Whether a line raises, or makes a model of which no tensor was stored."""
    import peft
    import torch

    names = {**names, "torch": torch, "PeftModel": peft.PeftModel}
    before, _, call = code.rpartition("; ")
    call = call.removeprefix("model = ").removeprefix("weights = ")
    try:
        exec(before, names)
        if ".from_pretrained(" in call and "PeftModel" not in call:
            family, _, arguments = call.partition("(")
            _, info = eval(f"{family}({arguments[:-1]}, output_loading_info=True)", names)
            return bool(info["missing_keys"])
        eval(call, names)
    except Exception:  # noqa: BLE001 - whatever it raises, it fails
        return True
    return False

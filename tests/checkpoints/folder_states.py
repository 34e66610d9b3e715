"""Everything that may be wrong with a folder, by name: its files, and the codes that tell it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from checkpoints import fixtures as f
from checkpoints.archives import zipped
from checkpoints.opcodes import call, plain, whole

CONFIG: dict[str, Any] = {"model_type": "bert"}
BERT: dict[str, Any] = {"architectures": ["BertForSequenceClassification"]}
ONE, TWO = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
INDEX = "model.safetensors.index.json"
LORA = {
    "base_model.model.layers.0.q_proj.lora_A.weight": (8, 16),
    "base_model.model.layers.0.q_proj.lora_B.weight": (16, 8),
}
ADAPTER: dict[str, Any] = {"peft_type": "LORA", "r": 8, "base_model_name_or_path": "not/here"}
EVIL = zipped(*f.torch_entries(pickled=whole(call("builtins", "eval", "1+1"))))


@dataclasses.dataclass(frozen=True)
class Folder:
    """Files by name, None for a folder of that name; and exactly the codes of what is found."""

    files: dict[str, bytes | None]
    codes: frozenset[str]
    kind: str


FOLDERS: dict[str, Folder] = {}


def folder(what: str, kind: str, files: Mapping[str, object], *codes: str) -> None:
    """Note one; what is no bytes is written as JSON."""
    assert what not in FOLDERS, what
    written = {
        name: data if data is None or isinstance(data, bytes) else json.dumps(data).encode()
        for name, data in files.items()
    }
    FOLDERS[what] = Folder(written, frozenset(codes), kind)


def index(where: Mapping[str, str], **more: object) -> dict[str, object]:
    return {"metadata": {"total_size": 4 * 47}, "weight_map": dict(where), **more}


def _models() -> None:
    weights = f.safetensors()
    for what, data, *codes in (
        ("whole", weights),
        ("cut", weights[:-4], "CKP013"),
        ("longer", weights + b"x", "CKP013"),
        ("empty", b"", "CKP031"),
        ("an LFS pointer", f.LFS, "CKP031"),
        ("a web page", f.HTML, "CKP031"),
        ("zeros", b"\0" * 999, "CKP031"),
        ("a torch archive", f.torch_zip(), "CKP042"),
        ("that calls eval", EVIL, "CKP032"),
        ("a folder", None, "CKP031"),
        ("a GGUF file cut", f.gguf()[:-40], "CKP013"),
    ):
        folder(
            f"model.safetensors: {what}",
            "model",
            {"config.json": CONFIG, "model.safetensors": data},
            *map(str, codes),
        )
    for what, data, *codes in (
        ("whole", f.torch_zip()),
        ("legacy", f.legacy()),
        ("cut", f.torch_zip()[:-30], "CKP013"),
        ("legacy cut", f.legacy()[:-3], "CKP013"),
        ("an archive of something else", zipped(*f.torch_entries()[1:]), "CKP031"),
        ("that calls eval", EVIL, "CKP032"),
    ):
        folder(
            f"pytorch_model.bin: {what}",
            "model",
            {"config.json": CONFIG, "pytorch_model.bin": data},
            *map(str, codes),
        )
    folder("only GGUF", "model", {"config.json": CONFIG, "model.gguf": f.gguf()}, "CKP037")
    folder(
        "only TensorFlow's",
        "model",
        {
            "config.json": CONFIG,
            "m.ckpt.index": f.tf_index(),
            "m.ckpt.data-00000-of-00001": f.tf_data(),
        },
        "CKP037",
    )
    folder(
        "config cut", "model", {"config.json": b'{"hid', "model.safetensors": weights}, "CKP041"
    )
    folder("config empty", "model", {"config.json": b"", "model.safetensors": weights}, "CKP041")
    folder("a config only", "model", {"config.json": {**CONFIG, "architectures": ["X"]}}, "CKP039")
    wide = {"bert.embeddings.word_embeddings.weight": (9, 4), "bert.a.weight": (4, 4)}
    for what, config, *codes in (
        ("fit", {"hidden_size": 4}),
        ("another width", {"hidden_size": 8}, "CKP068"),
        ("a width that is a number of rows", {"hidden_size": 9}, "CKP068"),
        ("a narrower table", {"hidden_size": 4, "embedding_size": 2}),
        ("another family", {"model_type": "roberta", **BERT}, "CKP069"),
        ("a family that shares the name", {"model_type": "megatron-bert", **BERT}),
        ("a class of one's own", {"model_type": "roberta", "architectures": ["BertWrapper"]}),
        ("code of its own", {"model_type": "roberta", **BERT, "auto_map": {}}),
    ):
        stated = {**CONFIG, **config}  # type: ignore[dict-item]  # what follows the name is a dict
        files = {"config.json": stated, "model.safetensors": f.safetensors(wide)}
        folder(f"sizes and names: {what}", "model", files, *map(str, codes))
    tables = {"bert.embeddings.position_embeddings.weight": (16, 4)}
    for rows, *codes in ((16,), (32, "CKP068")):
        folder(
            f"{rows} positions",
            "model",
            {
                "config.json": {**CONFIG, "max_position_embeddings": rows},
                "model.safetensors": f.safetensors(tables),
            },
            *map(str, codes),
        )
    folder(
        "safetensors named .bin",
        "model",
        {"config.json": CONFIG, "pytorch_model.bin": weights},
        "CKP042",
    )
    folder(
        "a name twice", "model", {"config.json": CONFIG, "model.safetensors": _twice()}, "CKP036"
    )


def _twice() -> bytes:
    entry = b'"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}'
    return f.headed(b"{" + entry + b"," + entry + b"}", f.elements(2))


def _shards() -> None:
    first = {"embed.weight": (8, 4)}
    second = {"layer.bias": (3,), "layer.weight": (3, 4)}
    right = {**dict.fromkeys(first, ONE), **dict.fromkeys(second, TWO)}
    parts = {ONE: f.safetensors(first), TWO: f.safetensors(second)}

    def row(what: str, files: Mapping[str, object], *codes: str) -> None:
        folder(f"shards: {what}", "model", {"config.json": CONFIG, **files}, *codes)

    row("whole", {INDEX: index(right), **parts})
    row("one missing", {INDEX: index(right), ONE: parts[ONE]}, "CKP034")
    row("all missing", {INDEX: index(right)}, "CKP034")
    row("one cut", {INDEX: index(right), ONE: parts[ONE], TWO: parts[TWO][:-4]}, "CKP013")
    row("one empty", {INDEX: index(right), ONE: parts[ONE], TWO: b""}, "CKP031")
    row("one an LFS pointer", {INDEX: index(right), ONE: f.LFS, TWO: parts[TWO]}, "CKP031")
    swapped = {name: TWO if file == ONE else ONE for name, file in right.items()}
    row("swapped", {INDEX: index(swapped), **parts}, "CKP035")
    row("a name no part holds", {INDEX: index({**right, "x": TWO}), **parts}, "CKP035")
    row("a path upwards", {INDEX: index({**right, "x": "../x.safetensors"}), **parts}, "CKP035")
    row("an absolute path", {INDEX: index({**right, "x": "/etc/passwd"}), **parts}, "CKP035")
    row("no index", parts, "CKP039")
    row("no weight_map", {INDEX: {"metadata": {}}, **parts}, "CKP031")
    row("an empty weight_map", {INDEX: index({}), **parts}, "CKP013")
    row("an index cut", {INDEX: json.dumps(index(right)).encode()[:-9], **parts}, "CKP013")
    row(
        "beside a whole file",
        {INDEX: index(right), **parts, "model.safetensors": f.safetensors()},
        "CKP038",
    )
    row(
        "the same tensor in two",
        {INDEX: index(right), ONE: f.safetensors(), TWO: parts[TWO]},
        "CKP036",
    )


def _adapters() -> None:
    def row(what: str, files: Mapping[str, object], *codes: str) -> None:
        folder(f"adapter: {what}", "adapter", files, *codes)

    weights = f.safetensors(LORA)
    name = "adapter_model.safetensors"
    row("whole", {"adapter_config.json": ADAPTER, name: weights})
    row("in .bin", {"adapter_config.json": ADAPTER, "adapter_model.bin": f.torch_zip(LORA)})
    row("without its weights", {"adapter_config.json": ADAPTER}, "CKP039")
    row("without its config", {name: weights}, "CKP039")
    row("a config cut", {"adapter_config.json": b'{"peft_t', name: weights}, "CKP041")
    others = {"target_modules": ["query", "value"]}
    row(
        "of other modules", {"adapter_config.json": {**ADAPTER, **others}, name: weights}, "CKP015"
    )
    fit = {"target_modules": ["v_proj", "layers.0.q_proj"]}
    row("of these modules", {"adapter_config.json": {**ADAPTER, **fit}, name: weights})
    row("of another rank", {"adapter_config.json": {**ADAPTER, "r": 4}, name: weights}, "CKP015")
    row("cut", {"adapter_config.json": ADAPTER, name: weights[:-4]}, "CKP013")
    row(
        "nearly empty",
        {"adapter_config.json": ADAPTER, name: f.safetensors({"a": (0,)})},
        "CKP014",
    )
    row("of no tensors", {"adapter_config.json": ADAPTER, name: f.headed({}, b"")}, "CKP014")
    row("an LFS pointer", {"adapter_config.json": ADAPTER, name: f.LFS}, "CKP031")
    row("that calls eval", {"adapter_config.json": ADAPTER, "adapter_model.bin": EVIL}, "CKP032")


def _trainers() -> None:
    state = {"global_step": 4, "max_steps": 8, "log_history": []}
    optimizer = zipped(
        *f.torch_entries(pickled=whole(plain({"state": {}, "param_groups": []})), shapes={})
    )
    schedule = zipped(*f.torch_entries(pickled=whole(plain({"last_epoch": 4})), shapes={}))
    good: dict[str, object] = {
        "config.json": CONFIG,
        "model.safetensors": f.safetensors(),
        "optimizer.pt": optimizer,
        "scheduler.pt": schedule,
        "rng_state.pth": optimizer,
        "trainer_state.json": state,
        "training_args.bin": optimizer,
    }

    def row(what: str, files: Mapping[str, object], *codes: str) -> None:
        folder(f"trainer: {what}", "trainer", {**good, **files}, *codes)

    row("whole", {})
    for name in ("optimizer.pt", "scheduler.pt", "rng_state.pth", "training_args.bin"):
        # Trainer writes the arguments, and never reads them again.
        alone = name == "training_args.bin"
        row(f"{name} cut", {name: optimizer[:-30]}, "CKP013" if alone else "CKP050")
        row(f"{name} empty", {name: b""}, "CKP031" if alone else "CKP050")
        row(f"{name} that calls eval", {name: EVIL}, "CKP032")
    row("model.safetensors cut", {"model.safetensors": f.safetensors()[:-4]}, "CKP013")
    row("model.safetensors empty", {"model.safetensors": b""}, "CKP031")
    row("model.safetensors: a torch archive", {"model.safetensors": f.torch_zip()}, "CKP042")
    row("optimizer.pt of weights", {"optimizer.pt": f.torch_zip()}, "CKP050")
    row("scheduler.pt of the optimizer", {"scheduler.pt": optimizer}, "CKP050")
    row("config.json cut", {"config.json": b'{"a'}, "CKP050")
    row("trainer_state.json empty", {"trainer_state.json": b""}, "CKP050")


def _distributed() -> None:
    part = f.torch_zip()
    listed = f.metadata(length=len(part))
    folder("dcp: whole", "dcp", {".metadata": listed, "__0_0.distcp": part})
    folder("dcp: a file cut", "dcp", {".metadata": listed, "__0_0.distcp": part[:-30]}, "CKP013")
    folder("dcp: without its files", "dcp", {".metadata": listed}, "CKP034")
    folder("dcp: cut", "dcp", {".metadata": listed[:-9], "__0_0.distcp": part}, "CKP013")
    evil = f.metadata(length=len(part), evil=call("builtins", "eval", "1"))
    folder("dcp: that calls eval", "dcp", {".metadata": evil, "__0_0.distcp": part}, "CKP032")


for build in (_models, _shards, _adapters, _trainers, _distributed):
    build()

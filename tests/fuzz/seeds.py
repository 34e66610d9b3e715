"""What mutations start from: healthy configs in each dialect, commands, and scripts."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from pipedoctor import registry
from pipedoctor.fixing import Refused
from pipedoctor.fixing.values import json_like, written

EXAMPLES = Path(__file__).parents[2] / "examples"

CONFIGS: dict[str, dict[str, object]] = {
    "glue": {
        "model_name_or_path": "model",
        "train_file": "train.csv",
        "validation_file": "eval.csv",
        "output_dir": "out",
        "max_seq_length": 128,
        "num_labels": 2,
        "learning_rate": 2e-5,
        "num_train_epochs": 3,
        "per_device_train_batch_size": 8,
        "evaluation_strategy": "steps",
        "eval_steps": 50,
        "save_steps": 70,
        "load_best_model_at_end": True,
        "warmup_ratio": 0.1,
        "fp16": "True",
        "fsdp_config": {"min_num_params": 0, "xla": False},
    },
    "clm": {
        "model_name_or_path": "model",
        "train_file": "train.txt",
        "block_size": 64,
        "streaming": True,
        "max_steps": 400,
        "warmup_steps": 500,
        "lr_scheduler_type": "cosine_with_min_lr",
        "lr_scheduler_kwargs": {"min_lr": 1e-6},
        "optim": "adamw_hf",
        "gradient_accumulation_steps": 4,
        "deepspeed": {"zero_optimization": {"stage": 2}, "train_batch_size": "auto"},
    },
    "trl": {
        "model_name_or_path": "model",
        "dataset_name": "some/texts",
        "max_seq_length": 512,
        "packing": True,
        "use_peft": True,
        "lora_r": 16,
        "lora_target_modules": ["q_proj", "v_proj"],
        "learning_rate": "2e-4",
        "save_strategy": "epoch",
        "datasets": [{"path": "some/texts", "split": "train"}],
    },
    "llamafactory": {
        "stage": "sft",
        "do_train": True,
        "finetuning_type": "lora",
        "lora_target": "all",
        "dataset": "identity,alpaca_en_demo",
        "template": "llama3",
        "cutoff_len": 2048,
        "output_dir": "saves/lora",
        "val_size": 0.1,
        "learning_rate": 1e-4,
        "bf16": True,
        "deepspeed": "ds.json",
    },
    "axolotl": {
        "base_model": "some/model",
        "datasets": [{"path": "some/texts", "type": "alpaca", "roles": {"input": ["user"]}}],
        "val_set_size": 0.05,
        "sequence_len": 2048,
        "adapter": "qlora",
        "load_in_4bit": True,
        "micro_batch_size": 2,
        "num_epochs": 3,
        "saves_per_epoch": 2,
        "lr_scheduler": "cosine",
        "special_tokens": {"pad_token": "<pad>"},
        "optimizer": "adamw_bnb_8bit",
    },
    "accelerate": {
        "compute_environment": "LOCAL_MACHINE",
        "distributed_type": "DEEPSPEED",
        "mixed_precision": "bf16",
        "num_processes": 2,
        "deepspeed_config": {"gradient_accumulation_steps": 4, "zero_stage": 2},
    },
    "deepspeed": {
        "train_micro_batch_size_per_gpu": "auto",
        "zero_optimization": {"stage": 3, "offload_optimizer": {"device": "cpu"}},
        "optimizer": {"type": "AdamW", "params": {"lr": "auto"}},
        "bf16": {"enabled": True},
    },
}

LAUNCHES = (
    ("python", "run_glue.py"),
    ("accelerate", "launch", "--config_file", "acc.yaml", "run_clm.py"),
    ("torchrun", "--nproc_per_node", "2", "run_ner.py"),
    ("trl", "sft"),
    ("llamafactory-cli", "train"),
    ("axolotl", "train", "c.yaml"),
    ("python", "-m", "torch.distributed.run", "run_mlm.py"),
)

MORE_SCRIPTS = (
    """
import dataclasses
from transformers import HfArgumentParser, Trainer, TrainingArguments, set_seed

@dataclasses.dataclass
class Own:
    path: str = "train.csv"
    depth: int = dataclasses.field(default=2)

def main():
    own, training = HfArgumentParser((Own, TrainingArguments)).parse_args_into_dataclasses()
    set_seed(training.seed)
    trainer = Trainer(model=build(own.depth), args=training, train_dataset=rows(own.path))
    trainer.train(resume_from_checkpoint=training.resume_from_checkpoint)

if __name__ == "__main__":
    main()
""",
    """
import torch
from torch import nn
from torch.nn import functional as F

class Net(nn.Module):
    def __init__(self, *sizes, drop: float = .1, **more):
        super().__init__()
        self.layers = [nn.Linear(a, b) for a, b in zip(sizes, sizes[1:])]
        self.head = nn.Sequential(*self.layers, nn.Softmax(-1))

    def forward(self, x):
        for layer in self.layers:
            x = F.relu(layer(x))
        return self.head(x)

net = Net(8, 16, 4)
optimizer = torch.optim.AdamW(net.parameters(), lr=(rate := 1e-3))
history = []
for epoch in range(3):
    net.train()
    for step, (x, y) in enumerate(loader, start=1):
        with torch.autocast("cpu"):
            loss = nn.CrossEntropyLoss()(net(x), y)
        (loss / 2).backward()
        if step % 2 == 0:
            optimizer.step(); optimizer.zero_grad()
        history += [loss]
    torch.save(net.state_dict(), f"net-{epoch}.pt")
""",
    """
import keras
from keras import layers

options = dict(epochs=2, **{"batch_size": 8})
model = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="sigmoid")])
model.compile("adam", loss="categorical_crossentropy", metrics=["accuracy"])
stop = keras.callbacks.EarlyStopping(monitor="val_acc", restore_best_weights=True)
try:
    model.fit(x, y, validation_split=.1, callbacks=[stop], **options)
except* ValueError:
    raise
finally:
    model.save("m.h5" if 1 else b"x")
""",
    """
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, TrainingArguments
from trl import SFTTrainer, SFTConfig
from peft import LoraConfig

model = AutoModelForCausalLM.from_pretrained("m", load_in_8bit=True, torch_dtype="auto")
a = SFTConfig("out", max_seq_length=512, evaluation_strategy="steps", warmup_ratio=0.03,  # why
    learning_rate=2e-4, **extra)
match a:
    case SFTConfig(output_dir=str() as where) if where: pass
    case [*rest, {"k": 1, **more}]: pass
trainer = SFTTrainer(model, args=a, tokenizer=t, peft_config=LoraConfig(r=8))
trainer.train()
""",
)


def toml(config: dict[str, object]) -> str:
    """Return a config in TOML."""
    return "".join(f"{_key(k)} = {_toml_value(v)}\n" for k, v in config.items())


def _key(key: str) -> str:
    return key if key.isascii() and key.isidentifier() else json.dumps(key)


def _toml_value(value: object) -> str:
    try:
        return written(value, ("true", "false", '""'), _toml_pair)
    except Refused:
        return str(value)  # inf, nan


def _yaml_value(value: object) -> str:
    try:
        return json_like(value)
    except Refused:
        return f".{value}"


def _toml_pair(key: str, text: str) -> str:
    return f"{json.dumps(key)} = {text}"


def words(config: dict[str, object]) -> tuple[str, ...]:
    """Return a config as the options of a command."""
    told = []
    for key, value in config.items():
        told += [f"--{key}", value if isinstance(value, str) else json.dumps(value)]
    return tuple(told)


def text(config: dict[str, object], suffix: str) -> str:
    """Return a config in the format of a suffix."""
    if suffix == "json":
        return json.dumps(config, indent=2)
    if suffix == "toml":
        return toml(config)
    return "".join(f"{_key(key)}: {_yaml_value(value)}\n" for key, value in config.items())


@cache
def scripts() -> tuple[str, ...]:
    """Return scripts: those of the examples, and those on the pages of checks."""
    told = [path.read_text(encoding="utf-8") for path in sorted(EXAMPLES.rglob("*.py"))]
    for row in registry.load().rows:
        for example in row.load().examples:
            names: dict[str, object] = {}
            if "script" not in example.source:
                continue
            exec(compile(example.source, "example", "exec"), names)
            if isinstance(names.get("script"), str):
                told.append(str(names["script"]))
    return (*told, *MORE_SCRIPTS)


@cache
def configs() -> tuple[tuple[str, str], ...]:
    """Return configs with their suffixes: those above in each format, and the examples."""
    made = [(one, text(c, one)) for c in CONFIGS.values() for one in ("json", "yaml", "toml")]
    files = [p for p in sorted(EXAMPLES.rglob("*")) if p.suffix in {".json", ".yaml", ".toml"}]
    return (*made, *((p.suffix[1:], p.read_text(encoding="utf-8")) for p in files))

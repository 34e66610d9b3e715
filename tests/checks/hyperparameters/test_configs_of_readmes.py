"""
Configs in the manner of public READMEs and tutorials, thirty of them: no check may object.

They are what people really run: odd batch sizes, steps beside epochs, schedulers with arguments,
older releases with the names of their time. Notes are allowed, warnings are not.
"""

from __future__ import annotations

import pytest
from facts import pipeline

from pipedoctor import registry
from pipedoctor.finding import Severity
from pipedoctor.report import Status
from pipedoctor.runner import run_one
from pipedoctor.targets.scripts import OWN, SCRIPTS

Config = dict[str, object]

CHAPTERS = ("HYP", "VER", "CKP", "EVA", "LOS", "ENV", "MEM", "DAT028", "NUM")
V4, V5 = "4.57.6", "5.23.0"

COURSE: Config = {
    "learning_rate": 2e-5,
    "per_device_train_batch_size": 16,
    "per_device_eval_batch_size": 16,
    "num_train_epochs": 3,
    "weight_decay": 0.01,
}
EACH_EPOCH: Config = {
    "eval_strategy": "epoch",
    "save_strategy": "epoch",
    "load_best_model_at_end": True,
}
LORA: Config = {
    "use_peft": True,
    "learning_rate": 2e-4,
    "lr_scheduler_type": "cosine",
    "gradient_checkpointing": True,
}

CONFIGS: dict[str, tuple[str, int, Config]] = {
    "the course, by epochs": (V5, 3668, {**COURSE, **EACH_EPOCH}),
    "the course, pushed": (V5, 25_000, {**COURSE, **EACH_EPOCH, "push_to_hub": True}),
    "mrpc with its best accuracy": (
        V5,
        3668,
        {**COURSE, **EACH_EPOCH, "metric_for_best_model": "accuracy", "save_total_limit": 2},
    ),
    "steps against steps": (
        V5,
        104_743,
        {
            **COURSE,
            "eval_strategy": "steps",
            "eval_steps": 500,
            "save_steps": 500,
            "logging_steps": 100,
            "load_best_model_at_end": True,
            "save_total_limit": 3,
        },
    ),
    "an older release with its own names": (
        "4.40.2",
        25_000,
        {
            **COURSE,
            "evaluation_strategy": "epoch",
            "save_strategy": "epoch",
            "logging_dir": "logs",
        },
    ),
    "warm-up as a ratio, when there was one": (
        V4,
        60_000,
        {**COURSE, "warmup_ratio": 0.06, "fp16": True, "group_by_length": True},
    ),
    "roberta on mnli": (
        V5,
        392_702,
        {**COURSE, "learning_rate": 1e-5, "num_train_epochs": 10, "warmup_steps": 0.06},
    ),
    "adamw of huggingface, when there was one": (
        "4.46.3",
        9000,
        {**COURSE, "optim": "adamw_hf", "eval_strategy": "no"},
    ),
    "nothing but a folder": (V5, 5000, {}),
    "seed and a level of logs": (V5, 5000, {**COURSE, "seed": 3407, "log_level": "info"}),
    "no warm-up, no decay": (
        V5,
        5000,
        {**COURSE, "lr_scheduler_type": "constant", "warmup_steps": 0, "weight_decay": 0.0},
    ),
    "restarts": (
        V5,
        50_000,
        {
            **COURSE,
            "lr_scheduler_type": "cosine_with_restarts",
            "lr_scheduler_kwargs": {"num_cycles": 2},
        },
    ),
    "down to a tenth": (
        V5,
        50_000,
        {
            **COURSE,
            "lr_scheduler_type": "cosine_with_min_lr",
            "lr_scheduler_kwargs": {"min_lr_rate": 0.1},
        },
    ),
    "warm-up, stable, decay": (
        V5,
        500_000,
        {
            **COURSE,
            "max_steps": 20_000,
            "num_train_epochs": -1,
            "lr_scheduler_type": "warmup_stable_decay",
            "lr_scheduler_kwargs": {"num_decay_steps": 2000},
            "warmup_steps": 500,
        },
    ),
    "on a plateau": (
        V5,
        50_000,
        {**COURSE, **EACH_EPOCH, "lr_scheduler_type": "reduce_lr_on_plateau"},
    ),
    "workers": (
        V5,
        50_000,
        {
            **COURSE,
            "dataloader_num_workers": 4,
            "dataloader_prefetch_factor": 4,
            "dataloader_persistent_workers": True,
            "dataloader_pin_memory": True,
            "dataloader_drop_last": True,
        },
    ),
    "a lora of an instruct model": (
        V5,
        52_000,
        {
            **LORA,
            "per_device_train_batch_size": 4,
            "gradient_accumulation_steps": 8,
            "warmup_steps": 0.03,
            "max_grad_norm": 0.3,
            "logging_steps": 10,
            "optim": "paged_adamw_8bit",
            "save_strategy": "epoch",
            "bf16": True,
        },
    ),
    "a lora of a few steps": (
        V5,
        52_000,
        {
            **LORA,
            "per_device_train_batch_size": 2,
            "gradient_accumulation_steps": 4,
            "warmup_steps": 5,
            "max_steps": 60,
            "logging_steps": 1,
            "optim": "adamw_8bit",
            "seed": 3407,
            "report_to": "none",
        },
    ),
    "small data, large accumulation that fits": (
        V5,
        1000,
        {**LORA, "per_device_train_batch_size": 1, "gradient_accumulation_steps": 16},
    ),
    "noise on the embeddings": (V5, 52_000, {**LORA, "neftune_noise_alpha": 5}),
    "preferences, with a rate as low as they have": (
        V5,
        60_000,
        {
            "learning_rate": 5e-7,
            "num_train_epochs": 1,
            "per_device_train_batch_size": 2,
            "gradient_accumulation_steps": 8,
            "lr_scheduler_type": "cosine",
            "warmup_steps": 0.1,
            "bf16": True,
            "adam_beta1": 0.9,
            "adam_beta2": 0.999,
            "adam_epsilon": 1e-8,
            "ddp_timeout": 18_000,
        },
    ),
    "deepspeed": (
        V5,
        52_000,
        {**COURSE, "deepspeed": "ds_config.json", "bf16": True, "save_only_model": True},
    ),
    "fsdp": (V5, 52_000, {**COURSE, "fsdp": "full_shard auto_wrap", "bf16": True}),
    "tools by name": (
        V5,
        52_000,
        {**COURSE, "report_to": ["wandb", "tensorboard"], "run_name": "first"},
    ),
    "all tools": (V4, 52_000, {**COURSE, "report_to": "all", "overwrite_output_dir": True}),
    "shares of the run": (
        V5,
        52_000,
        {**COURSE, "eval_strategy": "steps", "eval_steps": 0.1, "save_steps": 0.1},
    ),
    "only the best": (
        V5,
        52_000,
        {
            **COURSE,
            "eval_strategy": "epoch",
            "save_strategy": "best",
            "metric_for_best_model": "accuracy",
            "greater_is_better": True,
        },
    ),
    "evaluated in parts": (
        V5,
        52_000,
        {
            **COURSE,
            "eval_strategy": "epoch",
            "eval_accumulation_steps": 20,
            "fp16_full_eval": True,
        },
    ),
    "sgd, and no clipping": (
        V5,
        52_000,
        {
            **COURSE,
            "optim": "sgd",
            "learning_rate": 1e-3,
            "max_grad_norm": 0,
            "adam_epsilon": 1e-6,
        },
    ),
    "compiled, smoothed, kept quiet": (
        V5,
        52_000,
        {
            **COURSE,
            "torch_compile": True,
            "label_smoothing_factor": 0.1,
            "disable_tqdm": True,
            "logging_strategy": "epoch",
            "save_strategy": "no",
            "data_seed": 1,
            "auto_find_batch_size": True,
        },
    ),
}

PACKAGES = ("bitsandbytes", "wandb", "tensorboard", "deepspeed", "accelerate", "peft")


def test_there_are_thirty() -> None:
    assert len(CONFIGS) == 30


class AsRead(Config):
    """A config as a target reads it: the arguments of a script, and what users add to them."""

    script = "run_glue"
    script_keys = SCRIPTS["run_glue"].keys | OWN


@pytest.mark.parametrize("name", CONFIGS)
def test_no_check_objects(name: str) -> None:
    version, rows, stated = CONFIGS[name]
    subject = pipeline(
        settings=AsRead({"output_dir": "out", "model_name_or_path": "x", **stated}),
        train_data=range(rows),
        eval_data={"text": ["good", "bad"], "label": [1, 0]},
        metrics=["accuracy"],
        files={
            "output_dir": "out",
            "model": {
                "config": {"model_type": "bert"},
                "tensors": {"w": ("F32", (22_713_216,))},
            },
        },
        environment={
            "transformers": version,
            "torch": "2.13.0",
            **dict.fromkeys(PACKAGES, "1.99.0"),
            "disk_free": 2 * 10**12,
            "gpus": 1,
        },
    )
    objections, judged = [], 0
    for row in registry.load().rows:
        if not row.code.startswith(CHAPTERS):
            continue
        told = run_one(registry.load()[row.code], subject, {})
        assert told.status not in {Status.CRASHED, Status.BLOCKED}, told.reason
        judged += told.status is Status.PASSED
        objections += [
            f"{row.code}: {found.message}"
            for found in told.findings
            if (found.severity or told.rule.severity) > Severity.NOTE
        ]
    assert objections == []
    assert judged > 20, "most of them can be judged by a config alone"

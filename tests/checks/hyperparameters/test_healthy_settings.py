"""
Settings that people train well with, in several versions: no check of settings may object.

Notes are allowed: they speak of what is worth knowing, not of what is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from facts import Config, pipeline

from pipedoctor import registry
from pipedoctor.finding import Severity
from pipedoctor.report import Status
from pipedoctor.runner import run_one
from pipedoctor.targets.scripts import OWN, SCRIPTS

GB = 10**9

CODES = (
    *("VER001", "VER002", "VER004", "VER006", "VER012"),
    *("HYP001", "HYP002", "HYP003", "HYP004", "HYP005", "HYP006", "HYP009"),
    *("HYP012", "HYP013"),
    *("LOS008", "CKP001", "CKP003", "CKP004", "CKP005", "CKP021", "CKP022"),
    *("EVA005", "EVA006", "EVA010", "NUM002"),
)


@dataclass(frozen=True)
class Recipe:
    """A run: the settings, the rows, the model as its files tell it, and the machine."""

    stated: dict[str, Any]
    rows: int
    model_type: str
    parameters: int
    version: str = "5.23.0"
    script: str | None = None
    dtype: str = "F32"
    config: dict[str, Any] = field(default_factory=dict)
    free: int = 500 * GB
    gpus: int = 1
    metrics: tuple[str, ...] = ("accuracy",)


BERT = ("bert", 108_310_272)
BERT_LARGE = ("bert", 335_141_888)
ROBERTA = ("roberta", 124_645_632)
ROBERTA_LARGE = ("roberta", 355_359_744)
DISTILBERT = ("distilbert", 66_362_880)
MINILM = ("bert", 22_713_216)
DEBERTA = ("deberta-v2", 183_831_552)
ELECTRA_SMALL = ("electra", 13_548_288)
MODERNBERT = ("modernbert", 149_014_272)
GPT2 = ("gpt2", 124_439_808)
T5_BASE = ("t5", 222_903_552)
BART = ("bart", 406_290_432)
LLAMA_1B = ("llama", 1_235_814_400)
LLAMA_8B = ("llama", 8_030_261_248)
QWEN = ("qwen2", 494_032_768)
TINY = ("bert", 4_385_920)

GLUE = {
    "model_name_or_path": "bert-base-cased",
    "max_seq_length": 128,
    "do_train": True,
    "do_eval": True,
    "output_dir": "out",
}

RECIPES = {
    "the example of run_glue": Recipe(
        {
            **GLUE,
            "task_name": "mrpc",
            "per_device_train_batch_size": 32,
            "learning_rate": 2e-5,
            "num_train_epochs": 3,
        },
        3_668,
        *BERT,
        script="run_glue",
    ),
    "qnli with the best model": Recipe(
        {
            **GLUE,
            "train_file": "train.csv",
            "validation_file": "dev.csv",
            "learning_rate": 3e-5,
            "num_train_epochs": 3,
            "per_device_train_batch_size": 16,
            "eval_strategy": "steps",
            "eval_steps": 500,
            "save_steps": 500,
            "save_total_limit": 2,
            "load_best_model_at_end": True,
            "metric_for_best_model": "accuracy",
            "warmup_steps": 0.06,
            "weight_decay": 0.01,
            "fp16": True,
        },
        104_743,
        *BERT,
        script="run_glue",
    ),
    "the paper's RoBERTa on MNLI": Recipe(
        {
            **GLUE,
            "learning_rate": 1e-5,
            "num_train_epochs": 10,
            "per_device_train_batch_size": 32,
            "warmup_ratio": 0.06,
            "weight_decay": 0.1,
            "evaluation_strategy": "epoch",
            "save_strategy": "epoch",
            "save_total_limit": 3,
            "load_best_model_at_end": True,
        },
        392_702,
        *ROBERTA_LARGE,
        version="4.40.2",
        script="run_glue",
        gpus=8,
    ),
    "a config of 2023 on its own version": Recipe(
        {
            **GLUE,
            "evaluation_strategy": "steps",
            "eval_steps": 200,
            "save_steps": 200,
            "load_best_model_at_end": True,
            "overwrite_output_dir": True,
            "no_cuda": False,
            "group_by_length": True,
            "logging_dir": "runs",
            "save_total_limit": 1,
            "fp16_opt_level": "O1",
        },
        20_000,
        *ROBERTA,
        version="4.46.3",
        script="run_glue",
    ),
    "a config of 2025 on its own version": Recipe(
        {
            "learning_rate": 2e-5,
            "per_device_train_batch_size": 16,
            "per_device_eval_batch_size": 16,
            "num_train_epochs": 5,
            "weight_decay": 0.01,
            "eval_strategy": "epoch",
            "save_strategy": "epoch",
            "load_best_model_at_end": True,
            "push_to_hub": False,
            "report_to": "wandb",
            "warmup_ratio": 0.1,
            "logging_dir": "logs",
            "output_dir": "my_awesome_model",
        },
        25_000,
        *DISTILBERT,
        version="4.57.6",
    ),
    "MiniLM with a high rate": Recipe(
        {**GLUE, "learning_rate": 2e-4, "num_train_epochs": 1, "logging_steps": 5},
        480,
        *MINILM,
        script="run_glue",
        gpus=0,
    ),
    "a miniature BERT": Recipe(
        {**GLUE, "learning_rate": 3e-4, "num_train_epochs": 4, "seed": 42},
        8_551,
        *TINY,
        script="run_glue",
    ),
    "ELECTRA small": Recipe(
        {**GLUE, "learning_rate": 3e-4, "num_train_epochs": 10, "warmup_steps": 0.1},
        67_349,
        *ELECTRA_SMALL,
        script="run_glue",
    ),
    "DeBERTa v3 with bfloat16": Recipe(
        {
            **GLUE,
            "learning_rate": 2e-5,
            "bf16": True,
            "gradient_accumulation_steps": 4,
            "per_device_train_batch_size": 8,
            "warmup_steps": 100,
            "lr_scheduler_type": "cosine",
            "save_strategy": "epoch",
            "eval_strategy": "epoch",
            "save_total_limit": 2,
        },
        67_349,
        *DEBERTA,
        script="run_glue",
    ),
    "ModernBERT": Recipe(
        {
            "learning_rate": 8e-5,
            "per_device_train_batch_size": 32,
            "num_train_epochs": 2,
            "bf16": True,
            "optim": "adamw_torch_fused",
            "eval_strategy": "steps",
            "eval_steps": 0.1,
            "save_steps": 0.1,
            "save_total_limit": 2,
            "load_best_model_at_end": True,
            "metric_for_best_model": "eval_accuracy",
            "output_dir": "out",
        },
        120_000,
        *MODERNBERT,
    ),
    "token classification": Recipe(
        {
            "model_name_or_path": "bert-base-cased",
            "dataset_name": "conll2003",
            "text_column_name": "tokens",
            "label_column_name": "ner_tags",
            "do_train": True,
            "do_eval": True,
            "learning_rate": 5e-5,
            "num_train_epochs": 3,
            "output_dir": "out",
        },
        14_041,
        *BERT,
        script="run_ner",
    ),
    "question answering": Recipe(
        {
            "model_name_or_path": "bert-large-uncased",
            "dataset_name": "squad",
            "do_train": True,
            "do_eval": True,
            "per_device_train_batch_size": 12,
            "learning_rate": 3e-5,
            "num_train_epochs": 2,
            "max_seq_length": 384,
            "doc_stride": 128,
            "output_dir": "out",
        },
        88_524,
        *BERT_LARGE,
        script="run_qa",
    ),
    "GPT-2 on wikitext": Recipe(
        {
            "model_name_or_path": "gpt2",
            "dataset_name": "wikitext",
            "dataset_config_name": "wikitext-2-raw-v1",
            "per_device_train_batch_size": 8,
            "do_train": True,
            "do_eval": True,
            "block_size": 512,
            "output_dir": "out",
        },
        4_656,
        *GPT2,
        script="run_clm",
    ),
    "masked language modelling goes on": Recipe(
        {
            "model_name_or_path": "roberta-base",
            "train_file": "train.txt",
            "line_by_line": True,
            "learning_rate": 1e-4,
            "max_steps": 10_000,
            "warmup_steps": 500,
            "save_steps": 1000,
            "save_total_limit": 3,
            "output_dir": "out",
        },
        1_000_000,
        *ROBERTA,
        script="run_mlm",
    ),
    "T5 summarises with AdamW": Recipe(
        {
            "model_name_or_path": "t5-base",
            "dataset_name": "xsum",
            "source_prefix": "summarize: ",
            "predict_with_generate": True,
            "generation_max_length": 64,
            "learning_rate": 3e-4,
            "per_device_train_batch_size": 4,
            "save_total_limit": 3,
            "output_dir": "out",
            "do_train": True,
        },
        204_045,
        *T5_BASE,
        script="run_summarization",
    ),
    "T5 with Adafactor": Recipe(
        {
            "optim": "adafactor",
            "learning_rate": 1e-3,
            "lr_scheduler_type": "constant",
            "max_steps": 5000,
            "output_dir": "out",
        },
        50_000,
        *T5_BASE,
    ),
    "BART translates": Recipe(
        {
            "learning_rate": 3e-5,
            "warmup_steps": 500,
            "label_smoothing_factor": 0.1,
            "max_grad_norm": 0.1,
            "num_train_epochs": 3,
            "save_strategy": "epoch",
            "eval_strategy": "epoch",
            "output_dir": "out",
        },
        28_000,
        *BART,
    ),
    "Alpaca": Recipe(
        {
            "learning_rate": 2e-5,
            "num_train_epochs": 3,
            "per_device_train_batch_size": 4,
            "gradient_accumulation_steps": 8,
            "save_strategy": "steps",
            "save_steps": 2000,
            "save_total_limit": 1,
            "weight_decay": 0.0,
            "warmup_ratio": 0.03,
            "lr_scheduler_type": "cosine",
            "logging_steps": 1,
            "bf16": True,
            "tf32": True,
            "fsdp": "full_shard auto_wrap",
            "fsdp_transformer_layer_cls_to_wrap": "LlamaDecoderLayer",
            "output_dir": "out",
        },
        52_002,
        *LLAMA_8B,
        version="4.57.6",
        dtype="BF16",
        config={"torch_dtype": "bfloat16"},
        gpus=4,
        free=2_000 * GB,
    ),
    "LoRA on Llama": Recipe(
        {
            "use_peft": True,
            "lora_r": 16,
            "lora_alpha": 32,
            "learning_rate": 2e-4,
            "bf16": True,
            "gradient_checkpointing": True,
            "optim": "paged_adamw_8bit",
            "max_steps": 1000,
            "warmup_steps": 0.03,
            "lr_scheduler_type": "constant_with_warmup",
            "logging_steps": 10,
            "output_dir": "out",
        },
        9_846,
        *LLAMA_8B,
        dtype="BF16",
        config={"dtype": "bfloat16"},
        free=100 * GB,
    ),
    "LoRA on RoBERTa by its paper": Recipe(
        {**GLUE, "use_lora": True, "lora_r": 8, "learning_rate": 5e-4, "num_train_epochs": 30},
        25_000,
        *ROBERTA,
        script="run_glue",
    ),
    "LoRA on weights of float16": Recipe(
        {
            "use_peft": True,
            "lora_r": 8,
            "learning_rate": 1e-4,
            "fp16": True,
            "max_steps": 500,
            "output_dir": "out",
        },
        10_000,
        *LLAMA_8B,
        dtype="F16",
        config={"torch_dtype": "float16"},
        free=100 * GB,
    ),
    "a small Llama with a high rate": Recipe(
        {
            "learning_rate": 1e-3,
            "bf16": True,
            "per_device_train_batch_size": 4,
            "gradient_accumulation_steps": 4,
            "num_train_epochs": 2,
            "save_strategy": "epoch",
            "output_dir": "out",
        },
        460_000,
        "llama",
        134_515_008,
        dtype="BF16",
        config={"dtype": "bfloat16"},
    ),
    "full fine-tuning of one billion": Recipe(
        {
            "learning_rate": 1e-5,
            "bf16": True,
            "num_train_epochs": 1,
            "save_only_model": True,
            "save_total_limit": 2,
            "output_dir": "out",
        },
        20_000,
        *LLAMA_1B,
        dtype="BF16",
        config={"dtype": "bfloat16"},
    ),
    "Qwen by another optimizer": Recipe(
        {"learning_rate": 0.02, "optim": "sgd", "max_steps": 2000, "output_dir": "out"},
        20_000,
        *QWEN,
    ),
    "only the head is trained": Recipe(
        {**GLUE, "freeze_backbone": True, "learning_rate": 1e-3, "num_train_epochs": 20},
        5_000,
        *BERT,
        script="run_glue",
    ),
    "early stopping on a plateau": Recipe(
        {
            **GLUE,
            "eval_strategy": "epoch",
            "save_strategy": "best",
            "metric_for_best_model": "f1",
            "greater_is_better": True,
            "load_best_model_at_end": True,
            "early_stopping_patience": 3,
            "lr_scheduler_type": "reduce_lr_on_plateau",
            "num_train_epochs": 20,
            "learning_rate": 2e-5,
        },
        9_000,
        *BERT,
        script="run_glue",
        metrics=("accuracy", "f1"),
    ),
    "a smoke test": Recipe(
        {
            **GLUE,
            "max_steps": 5,
            "max_train_samples": 40,
            "save_strategy": "no",
            "logging_steps": 1,
            "report_to": "none",
            "use_cpu": True,
        },
        40,
        *MINILM,
        script="run_glue",
        gpus=0,
        free=GB,
    ),
    "a script of one's own with words of its own": Recipe(
        {
            "learning_rate": 2e-5,
            "per_device_train_batch_size": 16,
            "output_dir": "out",
            "data_dir": "data",
            "experiment": "first",
            "seeds": [1, 2, 3],
            "seed": 1,
            "text_field": "body",
            "model": "bert-base-cased",
            "dropout": 0.1,
        },
        10_000,
        *BERT,
    ),
}


@pytest.mark.parametrize("name", RECIPES)
def test_nobody_objects(name: str) -> None:
    recipe = RECIPES[name]
    keys: frozenset[str] = SCRIPTS[recipe.script].keys | OWN if recipe.script else frozenset()
    subject = pipeline(
        settings=Config(recipe.stated, recipe.script, keys, {}),
        train_data=range(recipe.rows),
        eval_data={"text": ["good", "bad"], "label": [1, 0]},
        metrics=list(recipe.metrics),
        files={
            "output_dir": "out",
            "model": {
                "config": {"model_type": recipe.model_type, **recipe.config},
                "tensors": {"w": (recipe.dtype, (recipe.parameters,))},
            },
        },
        environment={
            "transformers": recipe.version,
            "disk_free": recipe.free,
            "gpus": recipe.gpus,
        },
    )
    objections = []
    for code in CODES:
        told = run_one(registry.load()[code], subject, {})
        assert told.status not in {Status.CRASHED, Status.BLOCKED}, told.reason
        objections += [
            f"{code}: {found.message}"
            for found in told.findings
            if (found.severity or told.rule.severity) > Severity.NOTE
        ]

    assert objections == []


def test_the_same_settings_with_a_fault_each_are_objected_to() -> None:
    """The recipes reach the checks: with one value changed, each of these speaks up."""
    recipe = RECIPES["qnli with the best model"]
    changes: dict[str, dict[str, Any]] = {
        "VER001": {"evaluation_strategy": "steps"},
        "VER004": {"warmup_ratio": 0.06},
        "VER006": {"overwrite_output_dir": True},
        "VER012": {"learning_rte": 3e-5},
        "HYP001": {"learning_rate": 1e-3},
        "HYP002": {"use_peft": True},
        "HYP003": {"warmup_steps": 50_000},
        "HYP004": {"warmup_steps": 1.0},
        "HYP005": {"learning_rate": "3e-5"},
        "HYP006": {"lr": 3e-5},
        "HYP012": {"eval_strategy": False},
        "HYP013": {"fp16": "false"},
        "CKP001": {"save_total_limit": None},
        "CKP003": {"save_total_limit": 1},
        "CKP004": {"save_strategy": "epoch"},
        "CKP005": {"save_steps": 700},
        "CKP022": {"save_steps": 1000},
        "EVA006": {"metric_for_best_model": "f1"},
        "NUM002": {"dtype": "float16"},
    }
    for code, change in changes.items():
        subject = pipeline(
            settings=Config(
                {**recipe.stated, **change}, "run_glue", SCRIPTS["run_glue"].keys | OWN, {}
            ),
            train_data=range(recipe.rows),
            eval_data={"text": ["good", "bad"], "label": [1, 0]},
            metrics=["accuracy"],
            files={
                "output_dir": "out",
                "model": {
                    "config": {"model_type": "bert"},
                    "tensors": {"w": ("F32", (recipe.parameters,))},
                },
            },
            environment={"transformers": recipe.version, "disk_free": 20 * GB, "gpus": 1},
        )

        assert run_one(registry.load()[code], subject, {}).status is Status.FOUND, code

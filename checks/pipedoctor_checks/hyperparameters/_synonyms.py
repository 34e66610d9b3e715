"""The names that people give to arguments, from other libraries and from habit."""

from __future__ import annotations

import re

from pipedoctor.facts import Settings

SYNONYMS = {
    "per_device_train_batch_size": (
        "batch_size",
        "train_batch_size",
        "per_device_batch_size",
        "micro_batch_size",
    ),
    "per_device_eval_batch_size": (
        "eval_batch_size",
        "val_batch_size",
        "valid_batch_size",
        "validation_batch_size",
        "test_batch_size",
    ),
    "learning_rate": ("lr", "learn_rate", "lr_rate", "init_lr", "initial_lr", "base_lr"),
    "num_train_epochs": (
        "epochs",
        "epoch",
        "num_epochs",
        "n_epochs",
        "max_epochs",
        "train_epochs",
        "number_of_epochs",
    ),
    "max_steps": ("num_steps", "num_train_steps", "max_train_steps", "num_training_steps"),
    "gradient_accumulation_steps": (
        "gradient_accumulation",
        "grad_accumulation",
        "grad_accum",
        "grad_accum_steps",
        "grad_accumulation_steps",
        "gradient_accumulate_steps",
        "accumulation_steps",
        "accumulate_grad_batches",
    ),
    "weight_decay": ("wd", "weight_decay_rate"),
    "optim": ("optimizer", "optimizer_type", "optimizer_name"),
    "lr_scheduler_type": ("scheduler", "lr_scheduler", "scheduler_type", "lr_schedule"),
    "warmup_steps": ("warmup", "num_warmup_steps"),
    # Where it exists, it takes a share; warmup_steps does so since transformers 5.
    "warmup_ratio": ("warmup_proportion", "warmup_fraction"),
    "max_grad_norm": (
        "gradient_clipping",
        "gradient_clip_val",
        "grad_clip",
        "clip_grad",
        "clip_grad_norm",
    ),
    "label_smoothing_factor": ("label_smoothing",),
    "seed": ("random_seed", "rng_seed"),
    "dataloader_num_workers": ("num_workers",),
    "output_dir": ("output", "output_path", "out_dir", "save_dir"),
    "logging_steps": ("log_steps", "log_every", "log_every_n_steps"),
    "eval_steps": ("eval_every", "evaluation_steps"),
    "save_steps": ("save_every", "checkpoint_steps", "checkpointing_steps"),
    "model_name_or_path": (
        "model",
        "model_name",
        "model_path",
        "model_id",
        "pretrained_model_name_or_path",
    ),
    "train_file": ("train_path", "train_data_file", "training_file"),
    "validation_file": ("eval_file", "valid_file", "val_file", "dev_file", "validation_path"),
    "max_seq_length": (
        "max_length",
        "max_len",
        "max_seq_len",
        "max_sequence_length",
        "seq_length",
        "sequence_length",
    ),
}

FALLBACKS = {
    "warmup_ratio": ("warmup_steps",),
    "max_seq_length": ("cutoff_len", "sequence_len", "max_length"),
    "model_max_length": ("cutoff_len", "sequence_len", "max_length"),
    "lora_rank": ("lora_r",),
    "lora_r": ("lora_rank",),
}
"""What takes the place of an argument where there is none of that name."""

_CANONICAL = {name: canonical for canonical, names in SYNONYMS.items() for name in names}
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def meant(settings: Settings, key: str) -> str | None:
    """Return the argument of this run that a key stands for, if it is another name of one."""
    plain = _CAMEL.sub("_", key.lstrip("-")).replace("-", "_").lower()
    canonical = _CANONICAL.get(plain, plain)
    for name in (canonical, *FALLBACKS.get(canonical, ())):
        if settings.reading is not None and settings.reading.strict:
            known = settings.spelled(name) in settings.reading.keys
        else:
            known = name in settings.arguments.fields or name in settings.script_keys
        if known:
            return name
    return None

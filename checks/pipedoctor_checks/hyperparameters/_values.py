"""What Trainer does with values that it can't use: seen of transformers 5.23.0 and torch 2.13."""

from __future__ import annotations

from math import isfinite
from typing import Any

from pipedoctor.facts import Settings
from pipedoctor.facts.arguments import version_key


def finite(value: float) -> bool:
    """Whether it is a number: whole ones are, also those too large for a float."""
    return not isinstance(value, float) or isfinite(value)


LEAST = {
    "per_device_train_batch_size": (1, "DataLoader raises ValueError"),
    "per_device_eval_batch_size": (1, "DataLoader raises ValueError"),
    "gradient_accumulation_steps": (1, "Trainer raises ZeroDivisionError, or never steps"),
    "learning_rate": (0, "the optimizer raises ValueError"),
    "weight_decay": (0, "each step makes the weights larger instead of smaller"),
    "warmup_steps": (0, "TrainingArguments raises ValueError"),
    "adam_beta1": (0, "the optimizer raises ValueError"),
    "adam_beta2": (0, "the optimizer raises ValueError"),
    "adam_epsilon": (0, "the optimizer raises ValueError"),
    "torch_empty_cache_steps": (1, "TrainingArguments raises ValueError"),
    "seed": (0, "Trainer raises ValueError"),
    "dataloader_num_workers": (0, "DataLoader raises ValueError"),
}
"""The least value of each, and what happens below it."""

BELOW_ONE = ("adam_beta1", "adam_beta2")

WHOLE = {
    "per_device_train_batch_size": "DataLoader raises ValueError",
    "per_device_eval_batch_size": "DataLoader raises ValueError",
    "gradient_accumulation_steps": "train() raises TypeError",
    "max_steps": "train() raises TypeError",
    "torch_empty_cache_steps": "TrainingArguments raises ValueError",
    "dataloader_num_workers": "train() raises TypeError",
    "seed": "Trainer raises TypeError",
    "data_seed": "train() raises RuntimeError",
}
"""What can't have a fraction, not even one of 0, and what happens to `16.0`."""

NEEDED = {
    **dict.fromkeys(("per_device_train_batch_size", "max_steps"), "Trainer raises TypeError"),
    **dict.fromkeys(
        ("num_train_epochs", "learning_rate", "adam_beta1", "adam_beta2", "adam_epsilon"),
        "train() raises TypeError",
    ),
    **dict.fromkeys(
        ("gradient_accumulation_steps", "max_grad_norm", "weight_decay"),
        "train() raises TypeError",
    ),
    "warmup_steps": "TrainingArguments raises TypeError",
    "per_device_eval_batch_size": "the first evaluation raises TypeError",
    "seed": "Trainer raises TypeError",
    "dataloader_num_workers": "TrainingArguments raises TypeError",
}
"""What must be a number in every run, and what happens to null, a list or a mapping."""

NEEDED_FOR = {
    "logging_steps": ("logging_strategy", "steps", "TrainingArguments raises TypeError"),
    "save_steps": ("save_strategy", "steps", "TrainingArguments raises TypeError"),
}
"""The same, for a strategy only."""

NULL_OR_NUMBER = {
    "save_total_limit": "the first checkpoint raises TypeError",
    "data_seed": "train() raises RuntimeError",
    "torch_empty_cache_steps": "TrainingArguments raises ValueError",
}
"""What may be null, and what happens to a list or a mapping."""

EVALUATING = {
    "eval_delay": ("the first step raises TypeError", False),
    "eval_steps": ("TrainingArguments raises TypeError", True),
    "eval_accumulation_steps": ("the first evaluation raises TypeError", True),
}
"""The same for runs that evaluate, and whether null will do."""

LEVELS = ("detail", "debug", "info", "warning", "error", "critical", "passive")

REPORTERS = (
    *("all", "none", "azure_ml", "clearml", "codecarbon", "comet_ml", "dagshub", "dvclive"),
    *("flyte", "kubeflow", "mlflow", "neptune", "swanlab", "tensorboard", "trackio", "wandb"),
)
REPORTERS_OF = "5.23"

FORMER_OPTIMIZERS = {
    "adam": "adamw_torch",
    "adamw": "adamw_torch",
    "adamw_hf": "adamw_torch",
    "adamw_apex_fused": "adamw_torch_fused",
}
"""Names that other libraries have, or that older releases had, and those of Trainer."""


def missing(settings: Settings, name: str, value: Any) -> str | None:
    """Return what happens to null, a list or a mapping where a number is due."""
    if isinstance(value, (bool, int, float, str)):
        return None
    if name in NEEDED:
        return NEEDED[name]
    if name in NEEDED_FOR:
        strategy, word, happens = NEEDED_FOR[name]
        return happens if settings.get(strategy) == word else None
    if name in EVALUATING and settings.get(settings.eval_key) in {"steps", "epoch"}:
        happens, null = EVALUATING[name]
        return None if null and value is None else happens
    return NULL_OR_NUMBER.get(name) if value is not None else None


def other(settings: Settings, name: str, value: Any) -> tuple[str, str] | None:
    """Return what happens to a value of another kind than the argument is, and what to write."""
    if name == "dataloader_drop_last" and not isinstance(value, bool):
        if isinstance(value, str) and value.strip().lower() in MEANS_NO:
            return None  # truth-value-written-as-text speaks of it
        mended = settings.entry(name, bool(value))
        return "DataLoader raises ValueError: true or false is needed", f"set {mended}"
    if name == "optim_args" and value and not _is_options(settings, value):
        return "train() raises an error: names and values are needed", (
            f"set {settings.entry(name, 'weight_decay=0.01')}, or delete it"
        )
    if name == "lr_scheduler_kwargs" and not isinstance(value, (dict, type(None))):
        if isinstance(value, str) and value.startswith("{"):
            return None  # it is parsed
        return "train() raises TypeError: a mapping is needed", f"delete {name}"
    if name == "include_for_metrics" and not isinstance(value, (list, tuple, str, dict)):
        return "train() raises TypeError: a list is needed", f"set {settings.entry(name, [])}"
    if name == "label_names" and not isinstance(value, (list, tuple, type(None))):
        mended = settings.entry(name, [value]) if isinstance(value, str) else f"delete {name}"
        return "Trainer raises TypeError: a list is needed", f"write {mended}"
    if name == "metric_for_best_model" and not isinstance(value, (str, type(None))):
        if settings.get("greater_is_better") is not None:
            return None
        return (
            "TrainingArguments raises AttributeError: a name is needed",
            "write a name in quotes",
        )
    return None


MEANS_NO = frozenset({"false", "no", "off", "0", "none", "null", "f", "n"})


def _is_options(settings: Settings, value: object) -> bool:
    """Whether it is what Trainer takes apart: a=1,b=2; Axolotl makes that of a mapping."""
    if settings.reading is not None and settings.reading.strict and isinstance(value, dict):
        return True
    return isinstance(value, str) and all("=" in one for one in value.split(","))


def choice(settings: Settings, name: str) -> tuple[tuple[str, ...], str]:
    """Return the words that an argument takes, and what happens to others; empty if not known."""
    arguments = settings.arguments
    words = arguments.choice(name)
    if words:
        return words, "TrainingArguments raises ValueError"
    if name in {"log_level", "log_level_replica"} and version_key(arguments.version) >= (5,):
        return LEVELS, "Trainer raises KeyError"
    if name == "report_to" and arguments.version.startswith(f"{REPORTERS_OF}."):
        return REPORTERS, "Trainer raises ValueError"
    return (), ""


def nearest(name: str, value: str, words: tuple[str, ...], default: object) -> str:
    """Return the word that was meant, as far as it can be guessed; else the default."""
    from difflib import get_close_matches

    if name == "optim" and FORMER_OPTIMIZERS.get(value) in words:
        return FORMER_OPTIMIZERS[value]
    plain = value.strip().lower().replace("-", "_")
    begins = next((word for word in words if word and plain.startswith(word)), None)
    if plain in words or begins is not None:
        return plain if plain in words else str(begins)
    former = FORMER_OPTIMIZERS if name == "optim" else {}
    # Who mistypes a word gets its beginning right: "adamww" is no "grokadamw".
    alike = [word for word in (*words, *former) if word[:1] == plain[:1]]
    for close in get_close_matches(plain, alike, 3, 0.6):
        if former.get(close, close) in words:
            return former.get(close, close)
    return default if isinstance(default, str) and default in words else words[-1]

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from typing import Any

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Settings
from pipedoctor.fix import put

LEAST = {
    "per_device_train_batch_size": (1, "DataLoader raises ValueError"),
    "per_device_eval_batch_size": (1, "DataLoader raises ValueError"),
    "gradient_accumulation_steps": (1, "Trainer raises ZeroDivisionError, or never steps"),
    "learning_rate": (0, "the optimizer raises ValueError"),
    "weight_decay": (0, "the optimizer raises ValueError"),
    "warmup_steps": (0, "TrainingArguments raises ValueError"),
}
"""The least value of each, and what happens below it; transformers 5.23.0 with torch 2.13."""

WHOLE = ("per_device_train_batch_size", "per_device_eval_batch_size")

WORDS = {
    "logging_strategy": ("no", "steps", "epoch"),
    "eval_strategy": ("no", "steps", "epoch"),
    "evaluation_strategy": ("no", "steps", "epoch"),
    "save_strategy": ("no", "steps", "epoch", "best"),
}

OPTIMIZERS = {"adam": "adamw_torch", "adamw": "adamw_torch"}
"""Names that other libraries have, and those of Trainer."""


@check("HYP014", Severity.ERROR, stage=Stage.ARGUMENTS)
def value_that_trainer_refuses(settings: Settings) -> Iterator[Finding]:
    """
    An argument has a value with which the run can't start, or trains nothing.

    `TrainingArguments` checks few values. A batch size of 0, a negative learning rate or a
    misspelt strategy raises when the data loader, the optimizer or the schedule is built, after
    model and data were loaded; 0 epochs or a learning rate of 0 raise nothing at all, and nothing
    is learned.

    Fails:

        settings = {"per_device_train_batch_size": 0}

    Fails:

        settings = {"save_strategy": "epochs"}

    Passes:

        settings = {"per_device_train_batch_size": 8, "save_strategy": "epoch"}
    """
    for name, value in settings.stated.items():
        told = _fault(settings, name, value) if name in settings.arguments.fields else None
        if told is not None:
            shown = "null" if value is None else f'"{value}"' if isinstance(value, str) else value
            consequence, instead, sure = told
            yield Finding(
                message=f"{name} is {shown}; {consequence}",
                where=settings.where(name),
                evidence={"argument": name, "value": value},
                remedy=f"set {settings.entry(name, instead)}",
                fix=settings.fix(put(name, instead), safe=sure),
            )
    if settings.get("fp16") is True and settings.get("bf16") is True:
        yield Finding(
            message="fp16 and bf16 are both set; TrainingArguments takes at most 1 of the 2, and "
            "raises ValueError",
            where=settings.where("fp16"),
            evidence={"fp16": True, "bf16": True},
            remedy=f"set {settings.entry('fp16', False)}",
            alternatives=(f"set {settings.entry('bf16', False)}",),
            fix=settings.fix(put("fp16", value=False), safe=False),
        )


def _fault(settings: Settings, name: str, value: Any) -> tuple[str, Any, bool] | None:
    """Return what will happen, what to write, and whether only that can be meant."""
    default = getattr(settings.arguments.fields[name], "default", None)
    if isinstance(value, str):
        return _word(name, value)
    if isinstance(value, bool) or (value is not None and not isinstance(value, (int, float))):
        return None
    if name == "num_train_epochs":
        return _epochs(settings, value)
    if name == "logging_steps" and value == 0 and settings.word("logging_strategy") == "steps":
        return "TrainingArguments raises ValueError", 10, False
    if name not in LEAST:
        return None
    least, consequence = LEAST[name]
    instead = default if isinstance(default, (int, float)) else least
    if value is None or not isfinite(value):
        return "a number is needed", instead, False
    if value < least:
        return f"{consequence}: at least {least} is needed", instead, False
    if name in WHOLE and isinstance(value, float):
        text = "DataLoader raises ValueError: a whole number is needed"
        return text, int(value), value.is_integer()
    if name == "learning_rate" and value == 0:
        return "no step changes a weight, and nothing is learned", instead, False
    return None


def _epochs(settings: Settings, value: Any) -> tuple[str, Any, bool] | None:
    steps = settings.get("max_steps")
    if isinstance(steps, int) and steps > 0:
        return None  # then the epochs are not read
    if value is None or not isfinite(value) or value <= 0:
        return "0 steps are trained, without an error", 3, False
    return None


def _word(name: str, value: str) -> tuple[str, Any, bool] | None:
    known = WORDS.get(name)
    if known is not None and value not in known:
        choice = ", ".join(f'"{word}"' for word in known)
        near = next((word for word in known if value.lower().startswith(word)), None)
        consequence = f"TrainingArguments raises ValueError, it takes {choice}"
        return consequence, near or known[-1], near is not None and near != "no"
    if name == "optim" and value in OPTIMIZERS:
        consequence = "TrainingArguments raises ValueError, Trainer has other names"
        return consequence, OPTIMIZERS[value], value == "adamw"
    return None

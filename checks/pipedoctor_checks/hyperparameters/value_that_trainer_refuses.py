from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from typing import Any

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Settings

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
        if name in settings.arguments.fields:
            told = _fault(settings, name, value)
            if told is not None:
                shown = (
                    "null" if value is None else f'"{value}"' if isinstance(value, str) else value
                )
                yield Finding(
                    message=f"{name} is {shown}; {told[0]}",
                    where=settings.where(name),
                    evidence={"argument": name, "value": value},
                    remedy=told[1],
                )
    if settings.get("fp16") is True and settings.get("bf16") is True:
        yield Finding(
            message="fp16 and bf16 are both set; TrainingArguments takes at most 1 of the 2, and "
            "raises ValueError",
            where=settings.where("fp16"),
            evidence={"fp16": True, "bf16": True},
            remedy=f"set {settings.entry('fp16', False)}",
            alternatives=(f"set {settings.entry('bf16', False)}",),
        )


def _fault(settings: Settings, name: str, value: Any) -> tuple[str, str] | None:
    """Return what will happen and what to write, if a value will not do."""
    default = getattr(settings.arguments.fields[name], "default", None)
    if isinstance(value, str):
        return _word(settings, name, value)
    if isinstance(value, bool) or (value is not None and not isinstance(value, (int, float))):
        return None
    if name == "num_train_epochs":
        return _epochs(settings, value)
    if name == "logging_steps" and value == 0 and settings.word("logging_strategy") == "steps":
        return "TrainingArguments raises ValueError", f"set {settings.entry(name, 10)}"
    if name not in LEAST:
        return None
    least, consequence = LEAST[name]
    instead = (
        f"set {settings.entry(name, default if isinstance(default, (int, float)) else least)}"
    )
    if value is None or not isfinite(value):
        return "a number is needed", instead
    if value < least:
        return f"{consequence}: at least {least} is needed", instead
    if name in WHOLE and isinstance(value, float):
        return (
            "DataLoader raises ValueError: a whole number is needed",
            f"set {settings.entry(name, int(value))}",
        )
    if name == "learning_rate" and value == 0:
        return "no step changes a weight, and nothing is learned", instead
    return None


def _epochs(settings: Settings, value: Any) -> tuple[str, str] | None:
    steps = settings.get("max_steps")
    if isinstance(steps, int) and steps > 0:
        return None  # then the epochs are not read
    if value is None or not isfinite(value) or value <= 0:
        return (
            "0 steps are trained, without an error",
            f"set {settings.entry('num_train_epochs', 3)}",
        )
    return None


def _word(settings: Settings, name: str, value: str) -> tuple[str, str] | None:
    known = WORDS.get(name)
    if known is not None and value not in known:
        choice = ", ".join(f'"{word}"' for word in known)
        near = next((word for word in known if value.lower().startswith(word)), known[-1])
        return (
            f"TrainingArguments raises ValueError, it takes {choice}",
            f"set {settings.entry(name, near)}",
        )
    if name == "optim" and value in OPTIMIZERS:
        instead = OPTIMIZERS[value]
        return (
            "TrainingArguments raises ValueError, Trainer has other names",
            f"set {settings.entry(name, instead)}",
        )
    return None

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Settings
from pipedoctor.fix import put
from pipedoctor_checks.hyperparameters._values import (
    BELOW_ONE,
    LEAST,
    WHOLE,
    choice,
    finite,
    missing,
    nearest,
    other,
)
from pipedoctor_checks.hyperparameters.word_read_as_truth_value import STRATEGIES


@check(
    "HYP014",
    Severity.ERROR,
    stage=Stage.ARGUMENTS,
    symptoms={
        r"Your setup doesn't support bf16/gpu": (
            "set bf16=False; or fp16=True on a GPU older than Ampere (V100, T4), use_cpu=True "
            "where there is no GPU"
        ),
    },
)
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
        if name in settings.arguments.fields and name not in settings.unused:
            told = _fault(settings, name, value)
            if told is not None:
                shown = (
                    "null" if value is None else f'"{value}"' if isinstance(value, str) else value
                )
                yield Finding(
                    message=f"{name} is {shown}; {told.happens}",
                    where=settings.where(name),
                    evidence={"argument": name, "value": value},
                    remedy=told.remedy,
                    fix=settings.fix(put(name, told.value), safe=told.safe)
                    if told.value is not None
                    else None,
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


class _Fault(NamedTuple):
    """
    What will happen, and what to write; `value` where that is one value.

    `safe` says that it is what was meant, written as it has to be.
    """

    happens: str
    remedy: str
    value: Any = None
    safe: bool = False


def _instead(
    settings: Settings, name: str, value: Any, happens: str, *, safe: bool = False
) -> _Fault:
    return _Fault(happens, f"set {settings.entry(name, value)}", value, safe)


def _fault(settings: Settings, name: str, value: Any) -> _Fault | None:
    """Return what will happen and what to write, if a value will not do."""
    default = settings.arguments.fields[name].default
    told = missing(settings, name, value)
    if told is not None:
        return _instead(settings, name, _else(default, 1), f"{told}, a number is needed")
    told_else = other(settings, name, value)
    if told_else is not None:
        return _Fault(*told_else)
    strange = _word(settings, name, value, default)
    if strange is not None or isinstance(value, bool) or not isinstance(value, (int, float)):
        return strange
    return _number(settings, name, value, default)


def _number(settings: Settings, name: str, value: float, default: object) -> _Fault | None:
    if name == "num_train_epochs":
        return _epochs(settings, value)
    if name == "logging_steps" and value == 0 and settings.word("logging_strategy") == "steps":
        return _instead(settings, name, 10, "TrainingArguments raises ValueError")
    if name == "eval_accumulation_steps" and value == 0:
        happens = "the first evaluation raises ZeroDivisionError"
        return _Fault(happens, f"delete {name}, or set it to 1")
    if name in WHOLE and isinstance(value, float) and finite(value):
        whole, happens = max(round(value), 1), f"{WHOLE[name]}: a whole number is needed"
        return _instead(settings, name, whole, happens, safe=whole == value)
    if name not in LEAST:
        return None
    least, consequence = LEAST[name]
    happens = ""
    if not finite(value):
        happens = "a number is needed"
    elif value < least:
        happens = f"{consequence}: at least {least} is needed"
    elif name in BELOW_ONE and value >= 1:
        happens = f"{consequence}: a number below 1 is needed"
    elif name == "learning_rate" and value == 0:
        happens = "no step changes a weight, and nothing is learned"
    return _instead(settings, name, _else(default, least), happens) if happens else None


def _else(default: object, least: float) -> float:
    """Return a value that will do: the default, if that is known and a number."""
    return default if isinstance(default, (int, float)) else least


def _epochs(settings: Settings, value: Any) -> _Fault | None:
    steps = settings.get("max_steps")
    if isinstance(steps, int) and steps > 0:
        return None  # then the epochs are not read
    if value is None or not finite(value) or value <= 0:
        happens = "0 steps are trained, without an error"
        return _instead(settings, "num_train_epochs", 3, happens)
    return None


def _word(settings: Settings, name: str, value: Any, default: object) -> _Fault | None:
    words, happens = choice(settings, name)
    if not words or (value is None and default is None):
        return None
    several = name == "report_to" and isinstance(value, (list, tuple))
    if (isinstance(value, bool) and name in BY_ITSELF) or (name == "report_to" and value is None):
        return None  # other checks speak of what YAML reads as a truth value, and of null
    stated = list(value) if several else [value]
    strange = next((str(one) for one in stated if one not in words), None)
    if strange is None:
        return None
    near = nearest(name, strange, words, default)
    listed = ", ".join(f'"{word}"' for word in words[:MOST])
    more = f" and {len(words) - MOST} more" if len(words) > MOST else ""
    mended = [near if str(one) == strange else one for one in stated] if several else near
    same = strange.strip().lower().replace("-", "_") == near
    return _instead(settings, name, mended, f"{happens}, it takes {listed}{more}", safe=same)


BY_ITSELF = (*STRATEGIES, "report_to")

MOST = 12
"""So many words are listed; there are some fifty optimizers."""

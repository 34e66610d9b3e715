from __future__ import annotations

import math
from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Settings
from pipedoctor.facts.settings import fits, number
from pipedoctor.fix import put

COMPARED = "TypeError: '<=' not supported between instances of 'float' and 'str'"
CHECKED = "TypeError: '>' not supported between instances of 'str' and 'int'"

RAISED = {
    "learning_rate": f"the optimizer raises {COMPARED}",
    "adam_beta1": f"the optimizer raises {COMPARED}",
    "adam_beta2": f"the optimizer raises {COMPARED}",
    "adam_epsilon": f"the optimizer raises {COMPARED}",
    "num_train_epochs": "train() raises TypeError: must be real number, not str",
    "logging_steps": f"TrainingArguments raises {CHECKED}",
    "eval_steps": f"TrainingArguments raises {CHECKED}",
    "save_steps": f"TrainingArguments raises {CHECKED}",
    "dataloader_num_workers": f"TrainingArguments raises {CHECKED}",
    "max_steps": f"Trainer raises {CHECKED}",
    "per_device_train_batch_size": "train() raises ValueError: batch_size should be a positive integer value",
    "per_device_eval_batch_size": "the first evaluation raises ValueError: batch_size should be a positive integer value",
    "gradient_accumulation_steps": "train() raises TypeError: unsupported operand type(s) for //: 'int' and 'str'",
    "save_total_limit": "the first checkpoint raises TypeError: '<=' not supported between instances of 'str' and 'int'",
}
"""What was seen of transformers 5.23.0 and torch 2.13, for each argument set to a text."""

UNREAD = frozenset({"local_rank"})
"""Launchers state it in the environment, and nothing reads the argument since transformers 5."""


@check(
    "HYP005",
    Severity.ERROR,
    stage=Stage.ARGUMENTS,
    # The other texts in the table above are raised by users' own code for other reasons, too.
    symptoms={
        r"'<=' not supported between instances of 'float' and 'str'": "write the learning rate "
        "without quotes; in YAML with a decimal point, 5.0e-5"
    },
)
def number_written_as_text(settings: Settings) -> Iterator[Finding]:
    """
    An argument that must be a number holds a text, which Trainer takes as it is.

    YAML 1.1, which PyYAML reads, wants a decimal point and a sign: `2e-5` is a text there,
    `2.0e-5` a number. JSON takes everything in quotes for text. `TrainingArguments` converts
    nothing; the error comes later, when the first comparison or division meets the text, for the
    learning rate only after data and model were loaded.

    Fails:

        settings = {"learning_rate": "2e-5"}
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {"learning_rate": 2e-5}
        environment = {"transformers": "5.23.0"}

    See also: <https://github.com/hiyouga/LLaMA-Factory/issues/4014>.
    """
    for key, value in settings.stated.items():
        argument = settings.arguments.fields.get(key)
        if argument is None or not isinstance(value, str) or fits(value, argument.type):
            continue
        if argument.type in {"bool", "bool | None", "Optional[bool]"}:
            continue  # no number is wanted
        if key in UNREAD:
            continue
        meant = _number(value)
        raised = RAISED.get(key, "nothing converts it")
        if settings.reading is not None and settings.reading.converts:
            raised = f"{settings.reading.tool} stops at it"
        yield Finding(
            message=f'{key} is the text "{value}", where {_wanted(argument.type)} is due; {raised}'
            if meant is not None
            else f'{key} is "{value}", which is no number; {raised}',
            where=settings.where(key),
            evidence={"key": key, "value": value, "type": argument.type},
            remedy=f"write {settings.entry(key, meant)}"
            if meant is not None
            else f"write {_wanted(argument.type)} without quotes{_default(settings, key)}",
            fix=settings.fix(put(key, _exact(value, meant)), safe=True)
            if meant is not None and ("float" in argument.type or meant.is_integer())
            else None,
        )


def _number(text: str) -> float | None:
    """Return the number that a text spells out, as Python would read it."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _exact(text: str, meant: float) -> float:
    """Return the number as it is written: one without a fraction is whole."""
    digits = text.strip().removeprefix("-").isdecimal()
    return int(meant) if digits and abs(meant) < 2**53 else meant


def _wanted(declared: str) -> str:
    return "a number" if "float" in declared else "an integer"


def _default(settings: Settings, key: str) -> str:
    default = settings.arguments.fields[key].default
    if isinstance(default, (int, float)) and not isinstance(default, bool):
        return f', or leave it at its default: "{key}": {number(default)}'
    return ""

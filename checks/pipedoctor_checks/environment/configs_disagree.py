from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Companions, Settings, Statement
from pipedoctor.facts.settings import number

MATCHED = {
    "train_micro_batch_size_per_gpu": ("per_device_train_batch_size",),
    "gradient_accumulation_steps": ("gradient_accumulation_steps",),
    "gradient_clipping": ("max_grad_norm",),
    "optimizer.params.lr": ("learning_rate",),
    "optimizer.params.betas": ("adam_beta1", "adam_beta2"),
    "optimizer.params.eps": ("adam_epsilon",),
    "optimizer.params.weight_decay": ("weight_decay",),
    "scheduler.params.warmup_max_lr": ("learning_rate",),
    "fp16.enabled": ("fp16", "fp16_full_eval"),
    "bf16.enabled": ("bf16", "bf16_full_eval"),
}
"""What Trainer compares, by `HfTrainerDeepSpeedConfig` of transformers 5.23.0."""

OF_ACCELERATE = {
    "deepspeed_config.gradient_accumulation_steps": "gradient_accumulation_steps",
    "deepspeed_config.gradient_clipping": "max_grad_norm",
}
"""What accelerate puts into the config of DeepSpeed that it makes of its own."""

STOPS = "Trainer stops: they must be the same"


@check(
    "ENV001",
    Severity.ERROR,
    stage=Stage.ENVIRONMENT,
    symptoms={
        r"Please correct the following DeepSpeed config values that mismatch TrainingArguments": 'set the values it lists to "auto" in the config of DeepSpeed',
    },
)
def configs_disagree(settings: Settings, companions: Companions) -> Iterator[Finding]:
    """
    Two configs of one run state different values: the training config and DeepSpeed's or accelerate's.

    Batch size, accumulation, learning rate, clipping and precision can be stated in the training
    config and once more in that of DeepSpeed. Trainer compares them and stops at the first step
    where they differ, after model and data were loaded; that also holds for a default of
    Trainer's against a number of DeepSpeed's, and for "8" against 8. `"auto"` takes over what
    the training config says. Where accelerate's `mixed_precision` differs, nothing stops: the
    training config wins if it asks for a precision, and accelerate does if it asks for none.

    Fails:

        settings = {"per_device_train_batch_size": 8, "learning_rate": 2e-5, "output_dir": "out"}
        launch_config = {"deepspeed": {"train_micro_batch_size_per_gpu": 4, "zero_optimization": {"stage": 2}}}
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {"per_device_train_batch_size": 8, "learning_rate": 2e-5, "output_dir": "out"}
        launch_config = {"deepspeed": {"train_micro_batch_size_per_gpu": "auto", "zero_optimization": {"stage": 2}}}
        environment = {"transformers": "5.23.0"}

    See also: <https://github.com/huggingface/transformers/issues/29348>.
    """
    searched = settings.get("auto_find_batch_size") is True
    for key, names in MATCHED.items():
        statement = companions.find("deepspeed", key)
        if statement is None or (searched and key == "train_micro_batch_size_per_gpu"):
            continue
        expected = _expected(settings, names)
        if expected is not None and statement.value != expected:
            yield _finding(settings, statement, names[0], expected)
    if not searched:
        yield from _whole_batch(settings, companions)
    for key, name in OF_ACCELERATE.items():
        statement = companions.find("accelerate", key)
        ours = settings.get(name)
        if statement is not None and ours is not None and _number(statement.value) != ours:
            yield _finding(settings, statement, name, ours)
    yield from _precision(settings, companions)


def _expected(settings: Settings, names: tuple[str, ...]) -> Any:
    """Return what Trainer compares with; None where it is not known."""
    values = [settings.get(name) for name in names]
    if names[0] in {"fp16", "bf16"}:
        if not isinstance(values[0], bool):
            return None
        return values[0] or values[1] is True
    if any(isinstance(v, bool) or not isinstance(v, (int, float)) for v in values):
        return None
    return values if len(values) > 1 else values[0]


def _number(value: Any) -> Any:
    """Return the number that accelerate reads in the environment variable it makes of a value."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return value


def _finding(settings: Settings, statement: Statement, name: str, ours: Any) -> Finding:
    stated = name in settings.stated
    whose = "the training's own arguments" if stated else "the default"
    text = isinstance(statement.value, str) and str(ours) == statement.value
    value = statement.value if not isinstance(statement.value, (str, bool)) else None
    known = settings.arguments.fields.get(name)
    alternatives: tuple[str, ...] = ()
    if value is not None and not isinstance(value, list) and known is not None:
        alternatives = (f"state {settings.entry(name, value)} instead",)
    shown = f'"{statement.value}"' if isinstance(statement.value, str) else statement.value
    return Finding(
        message=f"{statement.key} is {_told(shown)} in the config of {_tool(statement)}"
        + (", a text" if text else "")
        + f", and {name} is {_told(ours)} by {whose}; {STOPS}",
        where=statement.where,
        evidence={
            "key": statement.key,
            "value": statement.value,
            "argument": name,
            "training": ours,
            "stated": stated,
        },
        remedy=f'write "{statement.key.rpartition(".")[2]}": "auto" there',
        alternatives=alternatives,
    )


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return number(value) if isinstance(value, float) else str(value)


def _tool(statement: Statement) -> str:
    return "DeepSpeed" if statement.tool == "deepspeed" else "accelerate"


def _whole_batch(settings: Settings, companions: Companions) -> Iterator[Finding]:
    """Compare `train_batch_size`, which is that of all processes; their number may not be known."""
    statement = companions.find("deepspeed", "train_batch_size")
    batch = settings.get("per_device_train_batch_size")
    accumulation = settings.get("gradient_accumulation_steps")
    if statement is None or not isinstance(batch, int) or not isinstance(accumulation, int):
        return
    each = batch * accumulation
    processes = companions.find("accelerate", "num_processes")
    count = processes.value if processes is not None else None
    whole = statement.value
    if isinstance(count, int) and not isinstance(count, bool) and count > 0:
        right, told = whole == each * count, f"{batch} x {accumulation} x {count} processes"
    else:
        right = isinstance(whole, int) and each > 0 and whole > 0 and whole % each == 0
        told = f"{batch} x {accumulation} times any number of processes"
    if not right:
        yield Finding(
            message=f"train_batch_size is {whole} in the config of DeepSpeed, which is not {told} "
            "(per_device_train_batch_size x gradient_accumulation_steps x processes); Trainer stops",
            where=statement.where,
            evidence={"value": whole, "batch": batch, "accumulation": accumulation},
            remedy='write "train_batch_size": "auto" there',
        )


def _precision(settings: Settings, companions: Companions) -> Iterator[Finding]:
    statement = companions.find("accelerate", "mixed_precision")
    if statement is None or statement.value not in ("fp16", "bf16"):
        return
    asked = next((name for name in ("fp16", "bf16") if settings.get(name) is True), None)
    if asked == statement.value:
        return
    if asked is not None:
        message = f"accelerate's mixed_precision is {statement.value}, and {asked} is true in the "
        message += "training config, which wins: 1 of the 2 is without effect"
        remedy = f"write mixed_precision: {asked} there, or start with --mixed_precision {asked}"
        place, name = statement.where, asked
    elif settings.stated.get(statement.value) is False:
        message = f"{statement.value} is false in the training config, but accelerate's "
        message += f"mixed_precision is {statement.value}, and that is what the run uses"
        remedy = f"set {settings.entry(statement.value, True)}, or write mixed_precision: 'no'"
        place, name = settings.where(statement.value), statement.value
    else:
        return
    yield Finding(
        message=message,
        where=place,
        evidence={"mixed_precision": statement.value, "argument": name},
        remedy=remedy,
        severity=Severity.WARNING,
    )

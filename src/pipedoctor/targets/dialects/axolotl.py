"""
Configs of Axolotl: `axolotl train FILE`.

What its keys become is told after the trainer builder of 0.19.0 (`core/builders/base.py`) and
`normalize_config`, as read there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipedoctor.fact import unknown
from pipedoctor.facts.arguments import Argument
from pipedoctor.facts.reading import Reading
from pipedoctor.finding import Location
from pipedoctor.probes.dialects import Table, load
from pipedoctor.targets.document import Document

if TYPE_CHECKING:
    from typing import TypeGuard

SPELLING = {
    "model_name_or_path": "base_model",
    "per_device_train_batch_size": "micro_batch_size",
    "per_device_eval_batch_size": "eval_batch_size",
    "num_train_epochs": "num_epochs",
    "optim": "optimizer",
    "lr_scheduler_type": "lr_scheduler",
}
"""The usual names, and Axolotl's."""

USUAL = {own: name for name, own in SPELLING.items()}

OWN_OPTIMIZERS = frozenset({
    "muon", "dion", "sinkgd", "polora", "optimi_adamw", "ao_adamw_fp8", "adopt_adamw", "adamc",
    "came_pytorch", "q_galore_adamw8bit", "flash_adamw", "flash_adam", "flash_sgd", "flash_sgdw",
    "flash_lion",
})  # fmt: skip
"""What is not in Trainer's list, so that the tool makes the optimizer itself."""

WARMUP = "Axolotl warms up for 3% of the steps, 100 at most, unless it is told otherwise"
LOGGING = "Axolotl logs every 0.5% of the steps, every 10 at most, unless it is told otherwise"


def normalise(document: Document, _command: str | None) -> Document:
    """Return the config in the usual names; null is what a key is without being stated."""
    table = load("axolotl")
    keys = frozenset(table.fields)
    stated = {key: value for key, value in document.items() if value is not None}
    arguments: dict[str, Any] = {}
    locations: dict[str, Location] = {}
    for key, value in stated.items():
        if key in keys:
            name = USUAL.get(key, key)
            arguments[name] = value
            if key in document.locations:
                locations[name] = document.locations[key]
    for name, count in (("save_steps", "saves_per_epoch"), ("eval_steps", "evals_per_epoch")):
        share = _share(stated, count)
        if share is None or (name == "eval_steps" and not _evaluates(stated)):
            continue
        arguments[name] = share
        if count in document.locations:
            locations[name] = document.locations[count]
    strangers = {key: value for key, value in stated.items() if key not in keys}
    if stated.get("plugins"):
        strangers = _misspelt(strangers, keys)
    reading = Reading(
        tool="Axolotl",
        version=table.version,
        installed=table.installed,
        keys=keys,
        defaults=_defaults(table, arguments, stated),
        spelling=SPELLING,
        strangers=strangers,
        blank=frozenset(document) - stated.keys(),
        places={key: place for key, place in document.locations.items() if key in strangers},
        unused=_unused(arguments),
        converts=True,
        strict=True,
        newest=table.newest,
    )
    return replace(
        document,
        arguments=arguments,
        locations=locations,
        script="Axolotl",
        script_keys=keys | SPELLING.keys(),
        reading=reading,
    )


def _misspelt(strangers: Mapping[str, Any], keys: frozenset[str]) -> dict[str, Any]:
    """Return those that are surely meant for known keys; plugins have keys that nobody lists."""
    from difflib import get_close_matches

    return {k: v for k, v in strangers.items() if get_close_matches(k, keys, 1, 0.9)}


def _share(stated: Mapping[str, Any], key: str) -> float | None:
    """Return the share of all steps after which something happens, if it is so often an epoch."""
    count, epochs = stated.get(key), stated.get("num_epochs", 1.0)
    if not _positive(count) or not _positive(epochs):
        return None
    try:
        share = 1.0 / (float(count) * float(epochs))
    except ArithmeticError:  # a number too large for a float, or so small that it is 0
        return None
    return share if 0 < share < 1 else None


def _positive(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0


def _evaluates(stated: Mapping[str, Any]) -> bool:
    return bool(stated.get("val_set_size") or stated.get("test_datasets"))


def _defaults(
    table: Table, arguments: Mapping[str, Any], stated: Mapping[str, Any]
) -> dict[str, Argument]:
    """Return the tool's own arguments, and what it hands to Trainer where nothing is stated."""
    saves = bool(arguments.get("save_steps"))
    evaluates = _evaluates(stated)
    batch = arguments.get("per_device_train_batch_size", 1)
    accumulated = stated.get("gradient_accumulation_steps") is None and "batch_size" in stated
    made = {
        "learning_rate": unknown("Axolotl has no learning rate of its own"),
        "per_device_train_batch_size": 1,
        "per_device_eval_batch_size": batch,
        "gradient_accumulation_steps": unknown("it follows from batch_size") if accumulated else 1,
        "num_train_epochs": 1.0,
        "optim": "adamw_torch_fused",
        "lr_scheduler_type": "cosine",
        "weight_decay": 0.0,
        "max_steps": -1,
        "warmup_steps": 0 if "warmup_ratio" in arguments else unknown(WARMUP),
        "warmup_ratio": None,
        "logging_steps": unknown(LOGGING),
        "save_strategy": "steps" if saves else "epoch",
        "save_total_limit": 4,
        "eval_strategy": "steps" if evaluates and arguments.get("eval_steps") else "no",
        "load_best_model_at_end": False,
        "bf16": unknown("Axolotl takes bf16 where the GPU has it"),
        "fp16": unknown("Axolotl takes fp16 where the GPU has no bf16")
        if "bf16" not in arguments or arguments["bf16"] == "auto"
        else False,
        "remove_unused_columns": True,
    }
    fields = {name: field for name, field in table.fields.items() if name not in USUAL}
    for name, default in made.items():
        declared = table.fields.get(SPELLING.get(name, name))
        fields[name] = Argument(declared.type if declared is not None else "bool", default)
    return fields


def _unused(arguments: Mapping[str, Any]) -> dict[str, str]:
    unused = {}
    if str(arguments.get("optim")) in OWN_OPTIMIZERS:
        unused["optim"] = f"Axolotl makes {arguments['optim']} itself"
    if arguments.get("load_best_model_at_end"):
        unused["load_best_model_at_end"] = (
            "Axolotl sets it only where the saved steps are a multiple of the evaluated ones"
        )
    return unused

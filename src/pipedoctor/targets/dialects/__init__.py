"""
Dialects: the configs of training tools that have names and defaults of their own.

Each is told by its telling keys and put into the usual names, with what the user wrote kept.
Nothing of this is imported for a config of plain arguments, but for this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipedoctor.targets.document import Document

READ = {"trl": "TRL", "llamafactory": "LLaMA-Factory", "axolotl": "Axolotl"}
"""The dialects that hold the arguments of a training, and how the tools are called."""

BESIDE = {"deepspeed": "DeepSpeed", "accelerate": "accelerate"}
"""The dialects of files that stand beside such a config."""

NAMES = ("huggingface", *READ)
"""What a dialect can be asked for by; the first is that of plain arguments."""

# Any of these sets of keys tells a dialect; those of the first that fits count.
_TELLING: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("deepspeed", ("zero_optimization", "train_micro_batch_size_per_gpu")),
    ("accelerate", ("compute_environment", "distributed_type mixed_precision")),
    (
        "axolotl",
        (
            "base_model datasets",
            "base_model pretraining_dataset",
            "base_model micro_batch_size",
            "base_model sequence_len",
            "base_model num_epochs",
            "base_model adapter",
        ),
    ),
    (
        "llamafactory",
        ("finetuning_type", "cutoff_len", "stage template", "stage dataset", "dataset template"),
    ),
    (
        "trl",
        (
            "packing_strategy",
            "dataset_text_field",
            "completion_only_loss",
            "assistant_only_loss",
            "chat_template_path",
            "padding_free",
            "dataset_train_split",
            "dataset_test_split",
            "dataset_streaming",
            "num_generations",
            "reward_funcs",
            "max_completion_length",
            "precompute_ref_log_probs",
            "lora_task_type",
            "dataset_name max_length",
            "dataset_name packing",
            "dataset_name use_peft",
            "dataset_name beta",
            "model_name_or_path datasets",
        ),
    ),
)


def detect(stated: Mapping[str, Any]) -> str | None:
    """Return the dialect of a config by its telling keys; None for one of plain arguments."""
    for name, marks in _TELLING:
        if any(all(key in stated for key in mark.split()) for mark in marks):
            return name
    return None


def snippet(dialect: str, text: str) -> Document:
    """Return a config of a tool, given as YAML: for the examples on the pages of checks."""
    from pipedoctor.targets.document import Document
    from pipedoctor.targets.source import Source
    from pipedoctor.targets.yaml_document import parse

    source = Source(f"{dialect}.yaml", text)
    parsed = parse(source)
    places = {key: source.location(key, offset) for key, offset in parsed.keys}
    return normalise(Document(parsed.values, places), dialect)


def normalise(document: Document, dialect: str, command: str | None = None) -> Document:
    """
    Return a config in the usual names; its `reading` keeps what the tool makes of it.

    `command` is the subcommand that it is for, where one is known: `sft` of `trl sft`.
    """
    module = import_module(f"pipedoctor.targets.dialects.{dialect}")
    normalised: Document = module.normalise(document, command)
    return normalised

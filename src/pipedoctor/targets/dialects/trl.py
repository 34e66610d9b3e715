"""Configs of TRL's command line: `trl sft --config FILE`, and likewise `trl dpo` and the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pipedoctor.facts.arguments import Argument
from pipedoctor.facts.reading import Reading
from pipedoctor.probes.dialects import Fields, Table, load
from pipedoctor.targets.document import Document

CONFIGS = {
    "sft": "SFTConfig",
    "dpo": "DPOConfig",
    "grpo": "GRPOConfig",
    "kto": "KTOConfig",
    "reward": "RewardConfig",
    "rloo": "RLOOConfig",
    "distillation": "DistillationConfig",
}
"""The subcommands, and the class that each takes its arguments from."""

SCRIPTS = {"grpo": "GRPOScriptArguments", "rloo": "RLOOScriptArguments"}
"""Those with arguments of the script besides what all have."""

SHARED = ("_BaseConfig", "ModelConfig", "ScriptArguments", "DatasetMixtureConfig")

TAKEN_OUT = frozenset({"env"})
"""What the parser takes from a config before it looks at the arguments."""


def normalise(document: Document, command: str | None) -> Document:
    """Return the config with the defaults of the class that it is for, which it does not name."""
    table = load("trl")
    chosen = command if command in CONFIGS else None
    name = chosen or _likeliest(document, table)
    fields = _fields(table, name)
    if document.get("bf16") is None:
        fields["bf16"] = Argument("bool", not document.get("fp16"))
    counts = sorted(_marks(document, table).values())
    reading = Reading(
        tool="TRL",
        version=table.version,
        installed=table.installed,
        keys=frozenset(fields),
        defaults=fields,
        converts=True,
        newest=table.newest,
        assumed=chosen is None and counts[-1] == counts[-2],
    )
    arguments = {key: value for key, value in document.items() if key not in TAKEN_OUT}
    if arguments.get("bf16", True) is None:
        del arguments["bf16"]  # null is what it is anyway
    return replace(
        document,
        arguments=arguments,
        script=f"trl {name}",
        script_keys=reading.keys,
        reading=reading,
    )


def _likeliest(document: Mapping[str, Any], table: Table) -> str:
    """Return the subcommand whose class knows most of the keys; sft where several do."""
    counts = _marks(document, table)
    return max(CONFIGS, key=lambda name: counts[name])


def _marks(document: Mapping[str, Any], table: Table) -> dict[str, int]:
    return {name: len(document.keys() & _fields(table, name).keys()) for name in CONFIGS}


def _fields(table: Table, name: str) -> Fields:
    fields: Fields = {}
    for owner in (*SHARED, SCRIPTS.get(name, ""), CONFIGS[name]):
        fields |= table.classes.get(owner, {})
    return fields

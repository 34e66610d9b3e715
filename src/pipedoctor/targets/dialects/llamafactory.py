"""Configs of LLaMA-Factory: `llamafactory-cli train FILE`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pipedoctor.facts.reading import Reading
from pipedoctor.probes import installed
from pipedoctor.probes.dialects import load
from pipedoctor.targets import TargetError
from pipedoctor.targets.document import Document
from pipedoctor.targets.scripts import SEQ2SEQ_FIELDS as SEQ2SEQ
from pipedoctor.targets.source import shown

OWN_OPTIMIZERS = (
    "use_galore",
    "use_apollo",
    "use_badam",
    "use_adam_mini",
    "use_muon",
    "loraplus_lr_ratio",
)
"""With these, the tool makes an optimizer itself; `optim` is not asked then."""

OF_V1 = frozenset({"model_class", "dist_config", "kernel_config", "peft_config", "quant_config"})
"""Keys of its other trainer, which `USE_V1=1` asks for."""

MEGATRON = frozenset({
    "tensor_model_parallel_size", "pipeline_model_parallel_size", "expert_model_parallel_size",
})  # fmt: skip
"""Keys by which a config is one for Megatron (`USE_MCA=1`)."""

# What OmegaConf, by which the tool reads YAML, takes for a float; PyYAML wants a point and a sign.
_FLOAT = re.compile(
    r"[-+]?\d+(?:_\d+)*(?:\.[\d_]*)?(?:[eE][-+]?\d+)?|\.\d+(?:_\d+)*(?:[eE][-+]\d+)?"
)
_PLAIN = re.compile(r"^[^:]*:\s*([^\s'\"#]+)\s*(?:#.*)?$")


def normalise(document: Document, _command: str | None) -> Document:
    """Return the config with the numbers that the tool reads in it, and the tool's own keys."""
    _refuse_other_trainer(document)
    table = load("llamafactory")
    own = frozenset(table.fields) | SEQ2SEQ
    if not MEGATRON.isdisjoint(document):
        own |= document.keys()  # the arguments of mcore_adapter are not known here
    arguments: Mapping[str, Any] = document.arguments
    if not table.installed or _reads_by_omegaconf():
        arguments = {key: _read(document, key, value) for key, value in document.items()}
    reading = Reading(
        tool="LLaMA-Factory",
        version=table.version,
        installed=table.installed,
        keys=own,
        defaults=table.fields,
        unused=_unused(arguments),
        newest=table.newest,
    )
    return replace(
        document,
        arguments=arguments,
        script="LLaMA-Factory",
        script_keys=reading.keys,
        reading=reading,
    )


def _refuse_other_trainer(document: Document) -> None:
    if "model" in document and not OF_V1.isdisjoint(document):
        file = next((place.file for place in document.locations.values()), None)
        raise TargetError(
            f"{shown(file or 'the config')} is a config for the trainer that LLaMA-Factory starts with USE_V1=1, which is not "
            "known here; its usual trainer takes model_name_or_path in place of model"
        )


def _reads_by_omegaconf() -> bool:
    """Whether the installed release does; the first ones read YAML by PyYAML, like Trainer's."""
    path = installed.file_of("llamafactory", "hparams", "parser.py")
    try:
        with open(path or "", encoding="utf-8") as file:
            return "OmegaConf.load" in file.read()
    except (OSError, UnicodeDecodeError):
        return True


def _read(document: Document, key: str, value: Any) -> Any:
    """Return a text as the number that OmegaConf takes it for, if it stands without quotes."""
    place = document.locations.get(key)
    if not isinstance(value, str) or place is None or not (place.file or "").endswith(_YAML):
        return value
    plain = _PLAIN.match(place.source or "")
    if plain is None or plain[1] != value or not _FLOAT.fullmatch(value):
        return value
    return float(value.replace("_", ""))


_YAML = (".yaml", ".yml")


def _unused(arguments: Mapping[str, Any]) -> dict[str, str]:
    key = next((key for key in OWN_OPTIMIZERS if arguments.get(key)), None)
    return {} if key is None else {"optim": f"with {key}, LLaMA-Factory makes its own optimizer"}

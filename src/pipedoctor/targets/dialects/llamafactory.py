"""Configs of LLaMA-Factory: `llamafactory-cli train FILE`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pipedoctor.facts.reading import Reading
from pipedoctor.probes import installed
from pipedoctor.probes.dialects import load
from pipedoctor.targets.document import Document

OWN_OPTIMIZERS = (
    "use_galore",
    "use_apollo",
    "use_badam",
    "use_adam_mini",
    "use_muon",
    "loraplus_lr_ratio",
)
"""With these, the tool makes an optimizer itself; `optim` is not asked then."""

# What OmegaConf, by which the tool reads YAML, takes for a float; PyYAML wants a point and a sign.
_FLOAT = re.compile(
    r"[-+]?\d+(?:_\d+)*(?:\.[\d_]*)?(?:[eE][-+]?\d+)?|\.\d+(?:_\d+)*(?:[eE][-+]\d+)?"
)
_PLAIN = re.compile(r"^[^:]*:\s*([^\s'\"#]+)\s*(?:#.*)?$")


def normalise(document: Document, _command: str | None) -> Document:
    """Return the config with the numbers that the tool reads in it, and the tool's own keys."""
    table = load("llamafactory")
    arguments: Mapping[str, Any] = document.arguments
    if not table.installed or _reads_by_omegaconf():
        arguments = {key: _read(document, key, value) for key, value in document.items()}
    reading = Reading(
        tool="LLaMA-Factory",
        version=table.version,
        installed=table.installed,
        keys=frozenset(table.fields),
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

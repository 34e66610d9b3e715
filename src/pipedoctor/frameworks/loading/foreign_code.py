"""What in a model's folder would have code run that is not of transformers."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.probes import files

LARGEST = 64 * 2**20
"""Far more than any config."""

KERNELS = re.compile(r"_?(attn|experts)_implementation(_internal)?")
"""Keys of a config that choose an implementation; with a "/", it is a repository of the hub."""


def refuse(name: str, folder: str) -> None:
    """
    Look into the config before transformers does.

    Raises:
        Unavailable: Loading the model would run code that comes with it or from the hub.

    """
    config = _config(folder)
    for key, value in _kernels(config):
        raise Unavailable(
            f'the config.json of {name} says {key} "{value}": that is a kernel of the hub, code '
            "which pipedoctor does not run"
        )
    if isinstance(config, dict) and config.get("auto_map") and not _known(config):
        raise refusal(name)


def refusal(name: str) -> Unavailable:
    """Say that a model can't be loaded without its own code."""
    return Unavailable(
        f"{name} needs trust_remote_code: it brings code of its own, which pipedoctor does not run"
    )


def _config(folder: str) -> Any:
    """Return the content of config.json; None where there is none that can be read."""
    try:
        with files.opened(os.path.join(folder, "config.json"), LARGEST) as file:
            return json.loads(file.read())
    except (Unavailable, OSError, ValueError, RecursionError):
        return None  # transformers says better what is wrong with it


def _kernels(config: Any) -> Iterator[tuple[str, str]]:
    """Yield the implementations from the hub that a config names, also in those inside of it."""
    if not isinstance(config, dict):
        return
    for key, value in config.items():
        if KERNELS.fullmatch(key):
            for one in value.values() if isinstance(value, dict) else (value,):
                if isinstance(one, str) and "/" in one:
                    yield key, one
        else:
            yield from _kernels(value)


def _known(config: dict[str, Any]) -> bool:
    """Whether transformers has this kind of model itself, and leaves the model's own code alone."""
    from transformers import CONFIG_MAPPING

    kind = config.get("model_type")
    return isinstance(kind, str) and kind in CONFIG_MAPPING

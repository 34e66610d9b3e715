"""The calls of `load_state_dict`, recorded: what was given, and what the module knows."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from typing import Any

from pipedoctor.facts.loaded_states import StateLoad
from pipedoctor.frameworks.loops import tops

MOST = 200
"""So many calls are kept."""


def watch(loads: list[StateLoad], problems: list[str]) -> Any:
    """Record the calls from now on; return what is to be put back as `load_state_dict`."""
    import torch

    original = torch.nn.Module.load_state_dict
    folder = os.getcwd()

    @functools.wraps(original)
    def load_state_dict(self: Any, state: Any, *words: Any, **keywords: Any) -> Any:
        strict = keywords.get("strict", words[0] if words else True)
        if not strict and isinstance(state, Mapping) and len(loads) < MOST:
            try:
                loads.append(_described(self, state, folder))
            except Exception as error:  # noqa: BLE001 - ours, and not to be taken for the user's
                problems.append(f"a load_state_dict was not seen: {type(error).__name__}: {error}")
        return original(self, state, *words, **keywords)

    torch.nn.Module.load_state_dict = load_state_dict
    return original


def _described(module: Any, state: Mapping[str, Any], folder: str) -> StateLoad:
    given = tuple(map(str, state))
    known = tuple(module.state_dict())
    return StateLoad(
        model=tops.variable(module, type(module).__name__),
        given=given,
        known=known,
        matched=len(set(given) & set(known)),
        strict=False,
        where=tops.line(folder),
    )

"""A double of a trainer, to be worked with in its place."""

from __future__ import annotations

import copy
from typing import Any

from pipedoctor.frameworks.restoring.snapshot import CONTAINERS

DEEPEST = 3
"""How many containers within each other a trainer's records are: `_metrics["train"]["loss"]`."""

LONGEST = 1000
"""A list longer than this is one of rows, whose entries nobody changes."""


def double(trainer: Any) -> Any:
    """
    Return a shallow copy of a trainer that can be worked with, and leaves no trace in it.

    Its records are copies, and it tells no callback of what it logs.
    """
    twin = copy.copy(trainer)
    for name, value in vars(trainer).items():
        vars(twin)[name] = _copied(value)
    for name in ("state", "control"):
        held = copy.copy(getattr(trainer, name, None))
        if held is not None:
            vars(held).update({key: _copied(value) for key, value in vars(held).items()})
            vars(twin)[name] = held
    handler = copy.copy(getattr(trainer, "callback_handler", None))
    if handler is not None:
        handler.callbacks = []
        twin.callback_handler = handler
    twin.log = lambda *_words, **_keywords: None
    return twin


def _copied(value: Any, depth: int = 0) -> Any:
    """Return a copy of plain containers, and anything else as it is."""
    if type(value) not in CONTAINERS or depth == DEEPEST:
        return value
    twin = value.copy()
    if isinstance(twin, dict):
        for key, held in value.items():
            twin[key] = _copied(held, depth + 1)
    elif isinstance(twin, list) and len(twin) <= LONGEST:
        twin[:] = [_copied(held, depth + 1) for held in value]
    return twin

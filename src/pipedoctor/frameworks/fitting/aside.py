"""A fit that is run only so that the script's next one is reached: nothing of it is kept."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

FOLDER = "trainings"
"""Where, below the temporary folder, what such a fit would write is."""

PATHS = ("filepath", "log_dir", "backup_dir", "filename")
"""The attributes of Keras' own callbacks that name what they write."""

REPORTERS = frozenset({"RemoteMonitor", "WandbCallback", "WandbMetricsLogger", "MlflowCallback"})
"""Callbacks that tell services about a run; of this one there is nothing to tell."""


def fit(model: Any, original: Callable[..., Any], call: Mapping[str, Any], scratch: str) -> Any:
    """Fit without a progress bar; what its callbacks write goes to the scratch folder."""
    callbacks = call.get("callbacks")
    given = [] if callbacks is None else callbacks
    moved: list[tuple[Any, str, Any]] = []
    if isinstance(given, (list, tuple)):
        given = [one for one in given if type(one).__name__ not in REPORTERS]
        for one in given:
            for name in PATHS:
                path = getattr(one, name, None)
                if isinstance(path, (str, os.PathLike)):
                    moved.append((one, name, path))
                    setattr(one, name, _moved(os.fspath(path), scratch))
    try:
        return original(model, **{**call, "callbacks": given, "verbose": 0})
    finally:
        for one, name, path in moved:
            setattr(one, name, path)


def _moved(path: str, scratch: str) -> str:
    """Return where to put what belongs elsewhere; its folder is made, as it may be expected."""
    full = os.path.abspath(path)
    if full.startswith(os.path.realpath(scratch) + os.sep):
        return path
    new = os.path.join(scratch, FOLDER, full.lstrip(os.sep))
    os.makedirs(os.path.dirname(new), exist_ok=True)
    return new

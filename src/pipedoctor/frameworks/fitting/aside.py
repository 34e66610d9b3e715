"""A fit that is run only so that the script's next one is reached: nothing of it is kept."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from pipedoctor.frameworks.fitting.library import NAMES

FOLDER = "trainings"
"""Where, below the temporary folder, what such a fit would write is."""

WRITERS = {"CSVLogger": "filename", "ModelCheckpoint": "filepath", "TensorBoard": "log_dir"}
"""Keras' own callbacks that write, each with its attribute that says where."""

LEFT_OUT = frozenset({"BackupAndRestore", "OrbaxCheckpoint", "RemoteMonitor"})
"""Keras' own callbacks that fix where they write when they are made, or tell a service."""

REPORTERS = frozenset({"MlflowCallback", "WandbCallback", "WandbMetricsLogger"})
"""Callbacks of others that tell services about a run; of this one there is nothing to tell."""


def fit(model: Any, original: Callable[..., Any], call: Mapping[str, Any], scratch: str) -> Any:
    """Fit without a progress bar; what Keras' callbacks write goes to the scratch folder."""
    given = call.get("callbacks")
    # Keras takes a list, one callback, or a CallbackList, which holds them itself.
    holder = given if isinstance(getattr(given, "callbacks", None), list) else None
    all_of_them = holder.callbacks if holder is not None else _listed(given)
    kept = [one for one in all_of_them if not _left_out(one)]
    moved: list[tuple[Any, str, Any]] = []
    for one in kept:
        for name in {WRITERS[base] for base in _of_keras(one) & WRITERS.keys()}:
            path = getattr(one, name, None)
            if isinstance(path, (str, os.PathLike)):
                moved.append((one, name, path))
                setattr(one, name, _moved(os.fspath(path), scratch))
    if holder is not None:
        holder.callbacks = kept
    try:
        callbacks = kept if holder is None else holder
        return original(model, **{**call, "callbacks": callbacks, "verbose": 0})
    finally:
        if holder is not None:
            holder.callbacks = all_of_them
        for one, name, path in moved:
            setattr(one, name, path)


def _listed(given: Any) -> list[Any]:
    if given is None:
        return []
    return list(given) if isinstance(given, (list, tuple)) else [given]


def _of_keras(callback: Any) -> set[str]:
    """Return the names of the classes of Keras itself that a callback is of."""
    mro = type(callback).__mro__
    return {base.__name__ for base in mro if base.__module__.partition(".")[0] in NAMES}


def _left_out(callback: Any) -> bool:
    return bool(_of_keras(callback) & LEFT_OUT) or type(callback).__name__ in REPORTERS


def _moved(path: str, scratch: str) -> str:
    """Return where to put what belongs elsewhere; its folder is made, as it may be expected."""
    full = os.path.abspath(path)
    if full.startswith(os.path.realpath(scratch) + os.sep):
        return path
    new = os.path.join(scratch, FOLDER, full.lstrip(os.sep))
    os.makedirs(os.path.dirname(new), exist_ok=True)
    return new

"""The whole model, saved into a temporary folder as the run would, and loaded again."""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from operator import attrgetter
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.facts.reload import Reload
from pipedoctor.facts.script import Script
from pipedoctor.finding import Location
from pipedoctor.frameworks.fitting import places
from pipedoctor.frameworks.fitting.building import Ready
from pipedoctor.frameworks.fitting.library import Library, named, own, to_numpy, value_of
from pipedoctor.frameworks.fitting.untouched import untouched
from pipedoctor.pipeline import Pipeline, text_of

LARGEST = 50_000_000
"""A model with more numbers than this is not written: 200 MB take seconds on a slow disk."""

ENCOUNTERED = "Exception encountered: "
UIDS = "object_name_uids"
"""Under this name Keras keeps which numbers it has put behind names."""

SUFFIXES = (".keras", ".h5", ".hdf5")
"""What files of whole models end in; `np.save` and others write other files."""

_COMPILED = ("loss", "metrics", "weighted_metrics", "optimizer")


def measure(pipeline: Pipeline) -> Reload:
    """
    Try what the run will do when it saves.

    Raises:
        Unavailable: Nobody saves the whole model, it is of Keras' own parts, or it is too large.

    """
    ready = pipeline.fact(Ready)
    part, library = ready.model, ready.library
    if library.second:
        raise Unavailable("what a model of Keras 2 is saved as is not tried")
    saver, file, where = _saver(pipeline)
    own_things = _own(part, library)
    lambdas = _has_lambda(part)
    if not own_things and not lambdas:
        raise Unavailable("the model is made of Keras' own layers, which Keras can load")
    size = sum(math.prod(map(int, one.shape)) for one in part.weights)
    if size > LARGEST:
        raise Unavailable(f"the model has {size:,} weights, too many to write them for a trial")
    with (
        untouched(part, written=False),
        _names(library),
        _quiet(),
        tempfile.TemporaryDirectory(prefix="pipedoctor-") as folder,
    ):
        path = os.path.join(folder, "model.h5" if file.endswith(SUFFIXES[1:]) else "model.keras")
        known = library.top.saving.get_custom_objects()
        told: dict[str, Any] = {
            "file": file,
            "saver": saver,
            "own": tuple(own_things),
            "unknown": tuple(n for n, one in own_things.items() if one not in known.values()),
            "lambdas": lambdas,
            "where": where,
            "weights": len(part.weights),
        }
        told["writing"] = _said(lambda: part.save(path))
        if not told["writing"]:
            load = library.top.saving.load_model
            made: list[Any] = []
            told["loading"] = _said(lambda: made.append(load(path)))
            if told["loading"]:
                trust = {"safe_mode": False} if lambdas else {}
                told["told"] = _said(
                    lambda: made.append(load(path, custom_objects=own_things, **trust))
                )
            if made:
                told["differing"] = _differing(part, made[0])
    return Reload(**told)


def _saver(pipeline: Pipeline) -> tuple[str, str, Location]:
    """Return who saves the whole model, the name of the file, and the line."""
    given = (pipeline.parts.get("call") or {}).get("callbacks")
    held = getattr(given, "callbacks", given)
    for one in held if isinstance(held, (list, tuple)) else [held]:
        kinds = {base.__name__ for base in type(one).__mro__}
        if "ModelCheckpoint" in kinds and not getattr(one, "save_weights_only", True):
            return (
                type(one).__name__,
                os.path.basename(str(getattr(one, "filepath", ""))),
                places.at(pipeline, one, "filepath"),
            )
    script = pipeline.optional(Script)
    for call in script.calls if script is not None else ():
        if (
            call.text.rpartition(".")[2] not in {"save", "save_model"}
            or call.place.runs == "never"
        ):
            continue
        file = call.argument("filepath", 1 if call.text.endswith("save_model") else 0)
        suffix = next((one for one in SUFFIXES if file is not None and one in file.text), None)
        if file is not None and suffix is not None and "weights" not in file.text:
            name = str(file.get(""))
            return "", os.path.basename(name) or f"model{suffix}", call.where
    raise Unavailable("nobody saves the whole model: no ModelCheckpoint does, and no save(…)")


KINDS = (
    "constraints.Constraint",
    "initializers.Initializer",
    "layers.Layer",
    "losses.Loss",
    "metrics.Metric",
    "optimizers.Optimizer",
    "optimizers.schedules.LearningRateSchedule",
    "regularizers.Regularizer",
)
"""The classes of Keras whose objects a saved model describes by their class and their config."""


def _own(part: Any, library: Library) -> dict[str, Any]:
    """Return the user's own classes and functions that the saved model names."""
    kinds = tuple(attrgetter(name)(library.top) for name in KINDS)
    config = getattr(getattr(part, "_compile_config", None), "config", None) or {}
    things = [leaf for name in _COMPILED for _, leaf in named(config.get(name), "")]
    for layer in part._flatten_layers():  # noqa: SLF001 - Keras has no public way to all layers
        things += [layer, *vars(layer).values()]
    found: dict[str, Any] = {}
    for thing in things:
        if _is_function(thing) and thing.__name__ != "<lambda>":
            found[thing.__name__] = thing
        elif isinstance(thing, kinds) and _is_own(type(thing)):
            found[type(thing).__name__] = type(thing)
    return found


def _is_own(kind: type) -> bool:
    """Whether a class is the user's: one of code without a module, as `exec` runs it, too."""
    return own(kind) or kind.__module__ == "builtins"


def _is_function(thing: Any) -> bool:
    """Whether it is a function of the user's, as activations, losses and metrics may be."""
    if not callable(thing) or isinstance(thing, type) or not hasattr(thing, "__code__"):
        return False
    module = (getattr(thing, "__module__", "") or "").partition(".")[0]
    return module not in {"keras", "tensorflow", "pipedoctor", "functools"}


def _has_lambda(part: Any) -> bool:
    """Whether a Lambda layer of Keras holds a function without a name."""
    return any(
        type(layer).__name__ == "Lambda"
        and not _is_own(type(layer))
        and getattr(getattr(layer, "function", None), "__name__", "") == "<lambda>"
        for layer in part._flatten_layers()  # noqa: SLF001 - as above
    )


def _said(action: Callable[[], Any]) -> str:
    """Return what an action raised, without the configs that Keras prints; "" for nothing."""
    try:
        action()
    except Exception as error:  # noqa: BLE001 - the user's own constructors run in there
        text = text_of(error)
        text = text.rpartition(ENCOUNTERED)[2] if ENCOUNTERED in text else text
        for behind in ("Full object config", "\n\nconfig=", " using config=", "Example:"):
            text = text.partition(behind)[0]
        return f"{type(error).__name__}: {' '.join(text.split())}".rstrip(" .")
    return ""


def _differing(part: Any, loaded: Any) -> int:
    """Count the weights that are not what was saved."""
    before, after = list(part.weights), list(loaded.weights)
    if len(before) != len(after):
        return abs(len(before) - len(after))
    pairs = (
        (to_numpy(value_of(a)), to_numpy(value_of(b))) for a, b in zip(before, after, strict=True)
    )
    return sum(
        a is not None and b is not None and (a.shape != b.shape or a.tobytes() != b.tobytes())
        for a, b in pairs
    )


@contextmanager
def _names(library: Library) -> Iterator[None]:
    """Put back how often Keras has used each name: the user's next layer is called as it would."""
    state = library.module("backend.common.global_state")
    held: Mapping[str, int] | None = state.get_global_attribute(UIDS)
    before = dict(held) if held is not None else None
    try:
        yield
    finally:
        now = state.get_global_attribute(UIDS)
        if now is not None:
            now.clear()
            now.update(before or {})


@contextmanager
def _quiet() -> Iterator[None]:
    """Let Keras say nothing of files of HDF5, which it will say when they are really written."""
    from absl import logging

    before = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        logging.set_verbosity(before)

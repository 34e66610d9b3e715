"""The capsule of a fit: the format of `recorder.capsule`, with arrays of any backend in it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipedoctor.frameworks.fitting import second
from pipedoctor.frameworks.fitting.drawing import Drawn
from pipedoctor.frameworks.fitting.library import Library, path_of, stored, to_numpy
from pipedoctor.recorder.capsule import (
    DESCRIPTION,
    FORMAT,
    TENSORS,
    CapsuleError,
    described,
    digest_of,
)
from pipedoctor.recorder.capsule_writing import free_name
from pipedoctor.recorder.keras import rows
from pipedoctor.recorder.keras.watching import Step

KIND = "keras"


@dataclass(frozen=True)
class Recorded:
    """A step that is to be written down; `given` is the data of the fit, for the rows' numbers."""

    model: Any
    library: Library
    step: Step
    given: dict[str, Any]


@dataclass(frozen=True)
class Capsule:
    """What a capsule holds; `weights` are all variables in the model's order, with their paths."""

    step: int
    model: str
    loss: float | None
    weights: tuple[tuple[str, Any], ...]
    batch: Drawn
    versions: Mapping[str, str]


def write(folder: str, recorded: Recorded, largest: int) -> str:
    """
    Write the capsule of a step into a folder, and return its path.

    Raises:
        CapsuleError: It would be too large, or holds what can't be written.
        OSError: The disk is full, or the folder can't be written to.

    """
    from safetensors.numpy import save_file

    tensors, shapes = _tensors(recorded)
    size = sum(held.nbytes for held in tensors.values())
    if size > largest:
        raise CapsuleError(f"it would take {size:,} bytes, and `largest` allows {largest:,}")
    os.makedirs(folder, exist_ok=True)
    final = free_name(os.path.join(folder, f"pipedoctor-capsule-step-{recorded.step.number}"))
    temporary = f"{final}.partial-{os.getpid()}"
    os.mkdir(temporary, 0o700)  # it is as confidential as the data
    try:
        at = os.path.join(temporary, TENSORS)
        save_file(tensors, at)
        told = _description(recorded, shapes) | {"sha256": digest_of(at)}
        with open(os.path.join(temporary, DESCRIPTION), "w", encoding="utf-8") as file:
            json.dump(told, file, indent=1, allow_nan=False)
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, final)
    except BaseException:  # an interrupt leaves no half of one either
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return final


def _parts(recorded: Recorded) -> tuple[Any, Any, Any]:
    if recorded.library.second:
        return second.unpacked(recorded.library, recorded.step.data)
    utils = recorded.library.module("trainers.data_adapters.data_adapter_utils")
    parts: tuple[Any, Any, Any] = utils.unpack_x_y_sample_weight(recorded.step.data)
    return parts


def _tensors(recorded: Recorded) -> tuple[dict[str, Any], list[Any]]:
    """Return all arrays by name, and the shape of the structures that the batch is made of."""
    tensors: dict[str, Any] = {}
    before = {id(one): value for one, value in recorded.step.before}
    for place, variable in enumerate(recorded.model.variables):
        held = to_numpy(before.get(id(variable), stored(variable)))
        if held is not None and held.dtype.kind in "biuf":
            tensors[f"weights.{place}"] = held.copy()
    return tensors, [
        _shape(f"batch.{name}", part, tensors)
        for name, part in zip(("x", "y", "sample_weight"), _parts(recorded), strict=True)
    ]


def _shape(name: str, value: Any, tensors: dict[str, Any]) -> Any:
    """Return a structure as JSON that names its arrays, which go to `tensors`."""
    if value is None:
        return None
    if isinstance(value, Mapping):
        return {"mapping": {str(k): _shape(f"{name}.{k}", v, tensors) for k, v in value.items()}}
    if isinstance(value, (list, tuple)):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return {kind: [_shape(f"{name}.{n}", v, tensors) for n, v in enumerate(value)]}
    held = to_numpy(value)
    if held is None or held.dtype.kind not in "biuf":
        raise CapsuleError(f"the batch holds a {type(value).__name__} ({name}), which is no array")
    tensors[name] = held.copy()
    return {"tensor": name}


def _description(recorded: Recorded, shapes: list[Any]) -> dict[str, Any]:
    from pipedoctor import __version__

    kind, step = type(recorded.model), recorded.step
    x, y, _ = _parts(recorded)
    known = rows.of(recorded.given, x, y)
    return {
        "format": FORMAT,
        "kind": KIND,
        "holds": "one step of a fit: its rows as arrays, and the variables of the model",
        "step": step.number,
        "model": f"{kind.__module__}.{kind.__qualname__}",
        "versions": {
            "pipedoctor": __version__,
            recorded.library.name: recorded.library.version,
            "backend": recorded.library.backend,
        },
        "paths": [path_of(one) for one in recorded.model.variables],
        "batch": shapes,
        "rows": None if known is None else list(known),
        "loss": None if step.loss is None else repr(step.loss),
    }


def read(path: str) -> Capsule:
    """
    Read a capsule.

    Raises:
        CapsuleError: It is none of a fit, or it is damaged.

    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    known = described(path)
    if known.get("kind") != KIND:
        raise CapsuleError(f"{path} was recorded from {known.get('model')}, no model of Keras")
    at = os.path.join(path, TENSORS)
    if not os.path.isfile(at):
        raise CapsuleError(f"{path} is no whole capsule: it has no {TENSORS}")
    if digest_of(at) != known.get("sha256"):
        raise CapsuleError(f"{at} is not the file that {DESCRIPTION} was written with")
    try:
        tensors = load_file(at)
        x, y, weight = (_value(shape, tensors) for shape in known["batch"])
        numbers = tuple(map(int, known["rows"] or ()))
        return Capsule(
            step=int(known["step"]),
            model=str(known["model"]),
            loss=None if known["loss"] is None else float(known["loss"]),
            weights=tuple(
                (str(name), tensors.get(f"weights.{place}"))
                for place, name in enumerate(_listed(known["paths"]))
            ),
            batch=Drawn(x, y, weight, numbers),
            versions=dict(known["versions"]),
        )
    except (SafetensorError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise CapsuleError(f"{path} contradicts itself: {type(error).__name__} {error}") from None


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"a {type(value).__name__} where a list is to be")
    return value


def _value(shape: Any, tensors: Mapping[str, Any]) -> Any:
    if shape is None:
        return None
    ((kind, held),) = shape.items()
    if kind == "tensor":
        return tensors[held]
    if kind == "mapping":
        return {key: _value(inner, tensors) for key, inner in held.items()}
    if kind in {"list", "tuple"}:
        items = [_value(inner, tensors) for inner in held]
        return items if kind == "list" else tuple(items)
    raise ValueError(f"a value of kind {kind!r}")


def prepare(capsule: Capsule, model: Any) -> None:
    """Give a model the weights and states that the recorded one had."""
    own = list(model.variables)
    if len(own) != len(capsule.weights):
        raise CapsuleError(
            f"the model has {len(own)} variables, and the capsule's {capsule.model} has "
            f"{len(capsule.weights)}"
        )
    for variable, (name, held) in zip(own, capsule.weights, strict=True):
        if held is not None and tuple(map(int, variable.shape)) != held.shape:
            raise CapsuleError(
                f"{path_of(variable)} is {tuple(variable.shape)} in the model, and {name} is "
                f"{held.shape} in the capsule"
            )
    for variable, (_, held) in zip(own, capsule.weights, strict=True):
        if held is not None:
            variable.assign(held)

"""
A capsule: one step of a training on the disk, as it takes to run it again.

A folder of two files: `capsule.json` says what it is, `tensors.safetensors` holds weights,
buffers, batches and random states. Nothing in it is code, and reading it runs none. `write` is
that of `capsule_writing`.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipedoctor.recorder import states
from pipedoctor.recorder.surroundings import OwnLoss

FORMAT = 1
DESCRIPTION, TENSORS = "capsule.json", "tensors.safetensors"
LARGEST_DESCRIPTION = 64 << 20


class CapsuleError(Exception):
    """A capsule can't be written or read: one sentence that says why."""


@dataclass(frozen=True)
class Replayable:
    """
    One pass of a capsule, ready to be run: the arguments of the model, the random states.

    Where the loss is computed beside the model (`own`), `keywords` are the whole batch, and `items`
    the number that the loss was divided by, which the model got as well if `counted`. `loss` may
    then be that of the batch divided by `parts`.
    """

    words: tuple[Any, ...]
    keywords: Mapping[str, Any]
    random: Mapping[str, Any]
    loss: float | None
    rows: tuple[int, ...] | None
    mutated: bool
    half: str
    own: OwnLoss | None = None
    items: Any = None
    counted: bool = False
    parts: int = 1


@dataclass(frozen=True)
class Capsule:
    """
    What a capsule holds.

    `weights` are parameters and buffers by name as they stood before the step, `evaluating` the
    modules that were in evaluation mode, `frozen` the parameters that were not trained. `config`
    is the config of a model of transformers, None for others.
    """

    path: str
    step: int
    model: str
    config: Mapping[str, Any] | None
    weights: Mapping[str, Any]
    passes: tuple[Replayable, ...]
    evaluating: frozenset[str]
    frozen: frozenset[str]
    versions: Mapping[str, str]
    found: Mapping[str, Any] = field(default_factory=dict)


def read(path: str) -> Capsule:
    """
    Read a capsule.

    Raises:
        CapsuleError: It is none, it is damaged, or it is of a format that isn't known here.

    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    known = described(path)
    at = os.path.join(path, TENSORS)
    if not os.path.isfile(at):
        raise CapsuleError(f"{path} is no whole capsule: it has no {TENSORS}")
    if digest_of(at) != known.get("sha256"):
        raise CapsuleError(f"{at} is not the file that {DESCRIPTION} was written with")
    try:
        tensors = load_file(at)
        passes = tuple(
            _replayable(number, entry, tensors) for number, entry in enumerate(known["passes"])
        )
        return Capsule(
            path=path,
            step=int(known["step"]),
            model=str(known["model"]),
            config=known["config"],
            weights={n[8:]: t for n, t in tensors.items() if n.startswith("weights.")},
            passes=passes,
            evaluating=frozenset(map(str, known["evaluating"])),
            frozen=frozenset(map(str, known["frozen"])),
            versions=dict(known["versions"]),
            found=dict(known["found"]),
        )
    except (
        *(SafetensorError, LookupError, TypeError, ValueError),
        *(AttributeError, OverflowError, RecursionError),
    ) as error:
        raise CapsuleError(f"{path} contradicts itself: {type(error).__name__} {error}") from None


def described(path: str) -> dict[str, Any]:
    """
    Return what a capsule says of itself, without its tensors.

    Raises:
        CapsuleError: It says nothing that can be read.

    """
    at = os.path.join(path, DESCRIPTION)
    try:
        if not os.path.isfile(at) or os.path.getsize(at) > LARGEST_DESCRIPTION:
            raise CapsuleError(f"{path} is no capsule: it has no {DESCRIPTION} that can be read")
        with open(at, encoding="utf-8") as file:
            known = json.load(file)
    except (OSError, ValueError, RecursionError) as error:
        raise CapsuleError(f"{at} can't be read: {error}") from None
    if not isinstance(known, dict) or known.get("format") != FORMAT:
        raise CapsuleError(f"{at} is no description of a capsule of format {FORMAT}")
    return known


def _replayable(number: int, entry: Mapping[str, Any], tensors: Mapping[str, Any]) -> Replayable:
    prefix = f"random.{number}."
    packed = {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
    loss, rows, own = entry["loss"], entry["rows"], entry.get("own")
    return Replayable(
        words=tuple(_value(word, tensors) for word in entry["words"]),
        keywords={str(k): _value(v, tensors) for k, v in entry["keywords"].items()},
        random=states.unpacked(packed),
        loss=None if loss is None else float(loss),
        rows=None if rows is None else tuple(map(int, rows)),
        mutated=bool(entry["mutated"]),
        half=str(entry["half"]),
        own=None if own is None else OwnLoss(**own),
        items=None if own is None else _value(entry["items"], tensors),
        counted=bool(entry.get("counted")),
        parts=max(1, int(entry.get("parts", 1))),
    )


def _value(shape: Mapping[str, Any], tensors: Mapping[str, Any]) -> Any:
    ((kind, held),) = shape.items()
    if kind == "tensor":
        return tensors[held]
    if kind == "float":
        return float(held)
    if kind == "mapping":
        return {key: _value(inner, tensors) for key, inner in held.items()}
    if kind in {"list", "tuple"}:
        items = [_value(inner, tensors) for inner in held]
        return items if kind == "list" else tuple(items)
    if kind == "value":
        return held
    raise ValueError(f"a value of kind {kind!r}")


def digest_of(path: str) -> str:
    """Return the SHA-256 of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()

"""A pretrained model as its files tell it: `config.json` and the headers of its weights."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pipedoctor.fact import UNKNOWN, Cost, Split, Unavailable, unknown
from pipedoctor.facts.model_files import ModelFiles, Tensor
from pipedoctor.facts.settings import Settings
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes import files, hub_cache, safetensors

LARGEST_CONFIG = 64 * 2**20
"""Far more than any config, tokenizer config or index of shards."""

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
PICKLED = "pytorch_model.bin"
PICKLED_INDEX = "pytorch_model.bin.index.json"
TOKENIZER = (
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "spiece.model",
    "sentencepiece.bpe.model",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "special_tokens_map.json",
    "added_tokens.json",
)


@probe(ModelFiles, Cost.FILES, "files")
def model_files(pipeline: Pipeline, _split: Split) -> ModelFiles:
    """Read a local folder, a model in the cache of the hub, or a description of either."""
    entry = files.given(pipeline, "model")
    if isinstance(entry, Mapping):
        return _described(entry)
    name = files.path(pipeline, "model")
    folder = _folder(name, pipeline.optional(Settings))
    config = _table(os.path.join(folder, "config.json"))
    try:
        tokenizer: Any = _table(os.path.join(folder, "tokenizer_config.json"))
    except Unavailable as reason:
        tokenizer = unknown(reason)
    tensors, names = _weights(folder)
    return ModelFiles(
        name=name,
        path=folder,
        config=config,
        tensors=tensors,
        weights_bytes=sum(files.size(os.path.join(folder, n)) for n in names) or UNKNOWN,
        weights_files=names,
        tokenizer_config=tokenizer,
        tokenizer_bytes=_tokenizer_bytes(folder),
    )


def _folder(name: str, settings: Settings | None) -> str:
    """Return the folder that `from_pretrained` would read."""
    stated = settings.stated if settings is not None else {}
    revision, cache = stated.get("model_revision"), stated.get("cache_dir")
    return hub_cache.locate(
        name,
        revision if isinstance(revision, str) else None,
        cache if isinstance(cache, str) else None,
    )


def _table(path: str) -> dict[str, Any]:
    """Return the content of a JSON file that maps names to values."""
    try:
        with files.opened(path, LARGEST_CONFIG) as file:
            table = json.loads(file.read())
    except (OSError, ValueError, RecursionError) as error:
        raise Unavailable(f"{path} can't be read: {error}") from None
    if not isinstance(table, dict):
        raise Unavailable(f"{path} does not map names to values")
    return table


def _weights(folder: str) -> tuple[Any, tuple[str, ...]]:
    """Return the tensors, and the files that hold them, in the order of `from_pretrained`."""
    present = {n for n in (WEIGHTS, INDEX, PICKLED, PICKLED_INDEX) if _there(folder, n)}
    if WEIGHTS in present:
        return safetensors.read(os.path.join(folder, WEIGHTS)), (WEIGHTS,)
    if INDEX in present:
        return _shards(folder)
    if PICKLED in present:
        pickled: tuple[str, ...] = (PICKLED,)
    elif PICKLED_INDEX in present:
        pickled = tuple(sorted(set(_index(folder, PICKLED_INDEX).values())))
    else:
        return unknown(f"{folder} holds no weights in a format that is known here"), ()
    return unknown(f"{pickled[0]} is a pickle, which is not opened: that would run it"), pickled


def _shards(folder: str) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    index = _index(folder, INDEX)
    names = tuple(sorted(set(index.values())))
    found: dict[str, Tensor] = {}
    for name in names:
        held = safetensors.read(os.path.join(folder, name))
        for tensor in (t for t, file in index.items() if file == name):
            if tensor not in held:
                raise Unavailable(f"{INDEX} of {folder} looks for {tensor[:80]} in {name} in vain")
        found |= held
    return found, names


def _index(folder: str, name: str) -> dict[str, str]:
    """Return which file holds which tensor."""
    table = _table(os.path.join(folder, name)).get("weight_map")
    if not isinstance(table, dict) or not table:
        raise Unavailable(f"{name} of {folder} has no weight_map")
    for file in table.values():
        if not isinstance(file, str) or os.path.basename(file) != file or file in {"", ".", ".."}:
            raise Unavailable(f"{name} of {folder} names {file!r}, which is no file beside it")
    return table


def _there(folder: str, name: str) -> bool:
    return os.path.lexists(os.path.join(folder, name))


def _tokenizer_bytes(folder: str) -> int:
    total = 0
    for name in TOKENIZER:
        with suppress(Unavailable):
            total += files.size(os.path.join(folder, name))
    return total


def _described(entry: Mapping[str, Any]) -> ModelFiles:
    """Return the files that a snippet describes: a config, and tensors by type and shape."""
    config, listed = entry.get("config"), entry.get("tensors")
    if not isinstance(config, Mapping):
        raise Unavailable("the model that was described has no config")
    tensors: Any = unknown("the model that was described names no tensors")
    size: Any = UNKNOWN
    if isinstance(listed, Mapping):
        try:
            tensors = {name: Tensor(tuple(shape), kind) for name, (kind, shape) in listed.items()}
        except (TypeError, ValueError):
            raise Unavailable(
                'tensors are described as {"name": ("F32", (768, 768))}, which these are not'
            ) from None
        size = sum(t.size * safetensors.BYTES.get(t.dtype, 1) for t in tensors.values())
    tokenizer = entry.get("tokenizer_config")
    return ModelFiles(
        name=str(entry.get("name", "model")),
        path="",
        config=config,
        tensors=tensors,
        weights_bytes=size,
        tokenizer_config=tokenizer if isinstance(tokenizer, Mapping) else UNKNOWN,
    )

"""How many token ids a tokenizer can give, from its files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.probes import files, tables

LARGEST = 64 << 20
"""The tokenizers of large models have 10 to 40 MB."""


def size(folder: str) -> int:
    """
    Return one more than the highest token id of the tokenizer in a folder.

    Raises:
        Unavailable: There is none that can be read.

    """
    whole = os.path.join(folder, "tokenizer.json")
    if os.path.exists(whole):
        ids = list(_ids(tables.read(whole, LARGEST)))
    else:
        ids = [*_vocabulary(folder), *_added(folder)]
    if not ids:
        raise Unavailable(f"{folder} holds no tokenizer whose ids can be counted")
    return max(ids) + 1


def _ids(table: dict[str, Any]) -> Iterator[int]:
    model = table.get("model")
    vocabulary = model.get("vocab") if isinstance(model, dict) else None
    if isinstance(vocabulary, dict):
        yield from (i for i in vocabulary.values() if type(i) is int)
    elif isinstance(vocabulary, list):
        yield len(vocabulary) - 1
    else:
        raise Unavailable("the vocabulary of tokenizer.json is neither a table nor a list")
    added = table.get("added_tokens")
    for token in added if isinstance(added, list) else ():
        if isinstance(token, dict) and type(token.get("id")) is int:
            yield token["id"]


def _vocabulary(folder: str) -> list[int]:
    path = os.path.join(folder, "vocab.txt")
    if os.path.exists(path):
        try:
            with files.opened(path, LARGEST) as file:
                return [sum(1 for _ in file) - 1]
        except OSError as error:
            raise Unavailable(f"{path} can't be read: {error}") from None
    path = os.path.join(folder, "vocab.json")
    if os.path.exists(path):
        return [i for i in tables.read(path, LARGEST).values() if type(i) is int]
    raise Unavailable(f"{folder} holds no tokenizer whose ids can be counted")


def _added(folder: str) -> list[int]:
    path = os.path.join(folder, "added_tokens.json")
    return (
        [i for i in tables.read(path, LARGEST).values() if type(i) is int]
        if os.path.exists(path)
        else []
    )

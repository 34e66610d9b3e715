"""Where a model's name leads: a local folder, or the local hub cache; nowhere else."""

from __future__ import annotations

import os

from pipedoctor.fact import Unavailable
from pipedoctor.probes.named_files import looks_like_path

MARKS = ("config.json", "tokenizer_config.json", "tokenizer.json")
"""Files of which a usable snapshot in the cache has at least one."""


def locate(name: str, revision: str | None = None, cache_dir: str | None = None) -> str:
    """
    Return the folder that a name stands for.

    Raises:
        Unavailable: It is neither a local folder nor in the local hub cache.

    """
    if os.path.isdir(name):
        return name
    if looks_like_path(name):
        raise Unavailable(
            f"the folder {name} does not exist; give the path of a folder that holds a model"
        )
    from huggingface_hub import try_to_load_from_cache

    for mark in MARKS:
        found = try_to_load_from_cache(name, mark, cache_dir=cache_dir, revision=revision)
        if isinstance(found, str):
            return os.path.dirname(found)
    raise Unavailable(
        f"{name} is not a local folder and not in the local hub cache; "
        f"download it with `hf download {name}`, or give a local path"
    )

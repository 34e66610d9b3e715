"""JSON files that map names to values: configs, states, indices."""

from __future__ import annotations

import json
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.probes import files

LARGEST = 256 << 20
"""A state holds a line of the log for each `logging_steps`, an index one for each tensor."""


def read(path: str, limit: int = LARGEST) -> dict[str, Any]:
    """
    Return the content of a file.

    Raises:
        Unavailable: It can't be read, is larger than `limit`, or is something else.

    """
    try:
        with files.opened(path, limit) as file:
            table = json.loads(file.read())
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        raise Unavailable(f"{path} can't be read: {error}") from None
    if not isinstance(table, dict):
        raise Unavailable(f"{path} does not map names to values")
    return table

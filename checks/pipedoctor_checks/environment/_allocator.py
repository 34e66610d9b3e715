"""The options of torch's allocator, as PYTORCH_ALLOC_CONF states them: `name:value,name:value`."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

VARIABLES = ("PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF")

OPTIONS = (
    "backend",
    "expandable_segments",
    "garbage_collection_threshold",
    "max_split_size_mb",
    "pinned_num_register_threads",
    "pinned_use_background_threads",
    "pinned_use_cuda_host_register",
    "release_lock_on_cudamalloc",
    "roundup_power2_divisions",
)
"""
The documented ones. Later releases add to them, so only what is nearly one of these is taken for a
slip.
"""

SWITCHES = frozenset({"expandable_segments", "pinned_use_background_threads"})
WORDS = {"1": True, "true": True, "yes": True, "on": True} | dict.fromkeys(
    ("0", "false", "no", "off"), False
)
NEAR = 0.85
"""
So alike is a slip to its option (`difflib`): "expandable_segment" 0.97, and of the options
themselves no two are more alike than 0.68.
"""


def faults(stated: str) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with each entry, and it as it should be; "" if that can't be known."""
    for entry in _entries(stated):
        option, _, value = (word.strip() for word in entry.partition(":"))
        near = get_close_matches(option, OPTIONS, 1, NEAR)
        if option not in OPTIONS and near:
            told = f"where {option} is no option of torch's allocator; {near[0]} is"
            yield told, f"{near[0]}:{value}"
        elif option == "max_split_size_mb" and not value.isdecimal():
            told = f"where {value or 'nothing'} is no number of MB; torch raises ValueError"
            yield told, ""  # which number was meant can't be known
        elif option in SWITCHES and value not in {"True", "False"}:
            told = f"where {option} must be True or False, written so; torch raises ValueError"
            known = value.lower() in WORDS
            yield told, f"{option}:{WORDS[value.lower()]}" if known else ""


def corrected(stated: str) -> str:
    """Return the options with each entry as it should be."""
    return ",".join(filter(None, map(_right, _entries(stated))))


def _right(entry: str) -> str:
    for _, better in faults(entry):  # of which the value may be wrong as well
        return _right(better)
    return entry


def _entries(stated: str) -> list[str]:
    """Return the entries; a comma within brackets separates none."""
    entries, depth = [""], 0
    for sign in stated:
        depth += (sign == "[") - (sign == "]")
        if sign == "," and depth <= 0:
            entries.append("")
        else:
            entries[-1] += sign
    return [entry.strip() for entry in entries if entry.strip()]

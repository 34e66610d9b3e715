"""
The memory of GPUs, by the names that people have for them.

The sizes of the table are nominal, as the cards are sold, taken for GiB; the pages beside them are
where the makers describe the cards, and were not read anew. Cards with GDDR memory whose ECC is on
by default lose a sixteenth to it (NVIDIA, "ECC memory" in the manual of nvidia-smi). Of the rest,
NVIDIA's drivers and firmware keep 1 to 2 %: in out-of-memory messages that people quote, an A100
40GB has 39.25 to 39.56 GiB, an RTX 4090 23.64 or 23.68, an RTX 5090 31.51, an A30 23.53.
"""

from __future__ import annotations

import difflib
import re

GIB = 2**30

_NVIDIA = "https://www.nvidia.com/en-us/"
TABLE: dict[str, tuple[float, bool, str]] = {
    # name: GiB, whether ECC takes a sixteenth, where it is stated
    "P100 16GB": (16, False, f"{_NVIDIA}data-center/tesla-p100/"),
    "V100 16GB": (16, False, f"{_NVIDIA}data-center/v100/"),
    "V100 32GB": (32, False, f"{_NVIDIA}data-center/v100/"),
    "T4": (16, True, f"{_NVIDIA}data-center/tesla-t4/"),
    "A10": (24, True, f"{_NVIDIA}data-center/products/a10-gpu/"),
    "A10G": (24, True, "https://aws.amazon.com/ec2/instance-types/g5/"),
    "A30": (24, False, f"{_NVIDIA}data-center/products/a30-gpu/"),
    "A40": (48, True, f"{_NVIDIA}data-center/a40/"),
    "A100 40GB": (40, False, f"{_NVIDIA}data-center/a100/"),
    "A100 80GB": (80, False, f"{_NVIDIA}data-center/a100/"),
    "L4": (24, True, f"{_NVIDIA}data-center/l4/"),
    "L40": (48, True, f"{_NVIDIA}data-center/l40/"),
    "L40S": (48, True, f"{_NVIDIA}data-center/l40s/"),
    "H100 80GB": (80, False, f"{_NVIDIA}data-center/h100/"),
    "H100 NVL": (94, False, f"{_NVIDIA}data-center/h100/"),
    "H200": (141, False, f"{_NVIDIA}data-center/h200/"),
    "RTX 2080 Ti": (11, False, f"{_NVIDIA}geforce/20-series/"),
    "RTX 3060": (12, False, f"{_NVIDIA}geforce/graphics-cards/30-series/"),
    "RTX 3070": (8, False, f"{_NVIDIA}geforce/graphics-cards/30-series/"),
    "RTX 3080": (10, False, f"{_NVIDIA}geforce/graphics-cards/30-series/"),
    "RTX 3090": (24, False, f"{_NVIDIA}geforce/graphics-cards/30-series/"),
    "RTX 4060": (8, False, f"{_NVIDIA}geforce/graphics-cards/40-series/"),
    "RTX 4070": (12, False, f"{_NVIDIA}geforce/graphics-cards/40-series/"),
    "RTX 4080": (16, False, f"{_NVIDIA}geforce/graphics-cards/40-series/"),
    "RTX 4090": (24, False, f"{_NVIDIA}geforce/graphics-cards/40-series/"),
    "RTX 5080": (16, False, f"{_NVIDIA}geforce/graphics-cards/50-series/"),
    "RTX 5090": (32, False, f"{_NVIDIA}geforce/graphics-cards/50-series/"),
    "RTX A6000": (48, True, f"{_NVIDIA}design-visualization/rtx-a6000/"),
    "MI250X": (64, False, "https://www.amd.com/en/products/accelerators/instinct/mi200.html"),
    "MI300X": (192, False, "https://www.amd.com/en/products/accelerators/instinct/mi300.html"),
}
"""Of an MI250X, each of its two dies is a device of its own."""

SHOWN = 0.98
"""The share of a card of NVIDIA's that a program sees."""

WITHOUT_BF16 = frozenset({"P100 16GB", "V100 16GB", "V100 32GB", "T4", "RTX 2080 Ti"})
"""Older than Ampere: bfloat16 has no arithmetic of its own there, and is emulated."""

LARGEST = max(gib for gib, _, _ in TABLE.values()) * GIB
"""No card of the table has more."""

COMMON = ("T4", "RTX 4090", "A100 40GB", "A100 80GB")
"""Those that a plan is told for where none is stated."""


class UnknownGpu(ValueError):  # noqa: N818 - named for what it is
    """No GPU of the table has this name."""


def memory(name: str) -> tuple[str, int]:
    """
    Return the name of a GPU as the table has it, and the bytes that it shows.

    Raises:
        UnknownGpu: There is none of this name, or several sizes.

    """
    wanted = _plain(name)
    found = [known for known in TABLE if _plain(known) == wanted]
    found = found or [known for known in TABLE if _plain(known).startswith(wanted) and wanted]
    sized = {TABLE[known][0] for known in found}
    if len(found) == 1 or (found and len(sized) == 1):
        gib, ecc, source = TABLE[found[0]]
        shown = 1.0 if "amd.com" in source else SHOWN
        return found[0], int(gib * GIB * (15 / 16 if ecc else 1) * shown)
    if found:
        raise UnknownGpu(f"{name!r} can be {' or '.join(map(repr, found))}")
    near = difflib.get_close_matches(wanted, map(_plain, TABLE), 1, 0.7)
    meant = next((known for known in TABLE if near and _plain(known) == near[0]), "")
    hint = f"did you mean {meant!r}? " if meant else ""
    raise UnknownGpu(
        f"no GPU called {name!r} is known; {hint}known are {', '.join(TABLE)}; of any other, "
        "state the size: --memory 24GiB"
    )


def _plain(name: str) -> str:
    text = re.sub(r"nvidia|geforce|tesla|amd|instinct|\bsxm\d?\b|\bpcie\b", "", name.lower())
    return re.sub(r"[^a-z0-9]|gi?b\b", "", text)

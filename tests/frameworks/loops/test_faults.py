"""Loops with a planted fault each: it is named, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest
from loop_examined import examined
from loop_faults import FAULTS

pytest.importorskip("torch")


@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize("name", FAULTS)
def test_the_fault_is_named_and_nothing_else(name: str, tmp_path: Path) -> None:
    code, text = FAULTS[name]
    path = tmp_path / "train.py"
    path.write_text(text)
    told, _ = examined(path)
    assert [line.split()[0] for line in told] == [code]

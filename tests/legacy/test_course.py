"""The course chain with transformers 4.57: each fault is named first, then the next, until nothing is left."""

from __future__ import annotations

from pathlib import Path

import course
import pytest

STOPS = {
    "stop1": "KER001",
    "stop2": "KER002",
    "stop3": "KER004",
    "stop4": "KER014",
    "healthy": None,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return course.made(tmp_path_factory.mktemp("transformers"))


@pytest.mark.parametrize("stop", STOPS)
def test_each_stop_has_its_fault_first(folder: Path, warm: list[str], stop: str) -> None:
    course.stops_at(warm, folder, f"transformers/{stop}.py", STOPS[stop])

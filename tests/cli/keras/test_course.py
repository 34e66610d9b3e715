"""The course chain with Keras 3: each fault is named first, then the next, until nothing is left."""

from __future__ import annotations

from pathlib import Path

import course
import pytest

pytestmark = pytest.mark.tensorflow

STOPS = {
    "stop1": "KER030",
    "stop2": "KER001",
    "stop3": "KER002",
    "stop4": "KER004",
    "stop5": "KER014",
    "healthy": None,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return course.made(tmp_path_factory.mktemp("keras"))


@pytest.mark.parametrize("stop", STOPS)
def test_each_stop_has_its_fault_first(folder: Path, warm: list[str], stop: str) -> None:
    course.stops_at(warm, folder, f"keras/{stop}.py", STOPS[stop])

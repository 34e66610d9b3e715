"""The command line, run for real, in a folder of its own that holds the example."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from resources import minilm

EXAMPLE = Path(__file__).parents[2] / "examples" / "qnli"

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the example and its model, as `make demo` has it."""
    folder = tmp_path / "project"
    shutil.copytree(
        EXAMPLE,
        folder / "examples" / "qnli",
        ignore=shutil.ignore_patterns("minilm", "__pycache__"),
    )
    (folder / "examples" / "qnli" / "minilm").symlink_to(minilm())
    return folder


@pytest.fixture
def pipedoctor(project: Path, warm: list[str]) -> Run:
    """Run `pipedoctor` in the project and return what it printed."""

    def run(*words: str, **more: Any) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "NO_COLOR": "1", **more.pop("env", {})}
        return subprocess.run(
            [*warm, *words],
            cwd=more.pop("cwd", project),
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
            **more,
        )

    return run


@pytest.fixture
def config(project: Path) -> Callable[..., str]:
    """Write a config of the example's run with other values; None takes a key away."""

    def write(**changes: Any) -> str:
        values = json.loads((EXAMPLE / "healthy.json").read_text()) | changes
        stated = {key: value for key, value in values.items() if value is not None}
        (project / "config.json").write_text(json.dumps(stated, indent=1))
        return "config.json"

    return write


def contents(folder: Path) -> dict[str, tuple[int, int]]:
    """Return every file below a folder with size and time, to see that nothing was written."""
    return {
        str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
    }

"""Projects of users, as small as can be: a table in pyproject.toml, and targets that need no framework."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import pytest

PYTEST = (sys.executable, "-m", "pytest")

FACTORY = """
def build():
    with open("runs", "a") as file:
        file.write("run\\n")
    print("building it")
    return {{
        "train_data": {{"text": ["a", "b", "c"], "label": [0, 1, 2]}},
        "settings": {settings},
    }}
"""


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the lines of the summary be whole."""
    monkeypatch.setenv("COLUMNS", "160")


@pytest.fixture
def project(pytester: pytest.Pytester) -> Callable[..., pytest.Pytester]:
    """
    Write a project with a target `pipeline:build`, whose settings are given.

    Each run of the target adds a line to the file `runs`.
    """

    def write(*targets: str, table: str = "", **settings: object) -> pytest.Pytester:
        listed = json.dumps(targets or ("pipeline:build",))
        pytester.makepyprojecttoml(f"[tool.pipedoctor]\ntargets = {listed}\n{table}")
        pytester.makepyfile(pipeline=FACTORY.format(settings=settings))
        return pytester

    return write


def runs(pytester: pytest.Pytester) -> int:
    """Return how often the target was run."""
    path = pytester.path / "runs"
    return len(path.read_text().splitlines()) if path.exists() else 0


def lines(result: pytest.RunResult, *patterns: str) -> None:
    """See that each of these lines was printed, in this order."""
    result.stdout.fnmatch_lines(list(patterns))

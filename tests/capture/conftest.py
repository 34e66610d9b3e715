"""Scripts of a test, run through the command line."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from capture.pipelines import Check


@pytest.fixture
def check(tmp_path: Path, warm: list[str]) -> Check:
    """Check a script with this text; return the status, the JSON report and standard error."""

    def run(text: str, *words: str, target: str = "train.py") -> tuple[int, dict[str, Any], str]:
        (tmp_path / "train.py").write_text(text)
        verb = [*warm, "check", target, "--output-format", "json"]
        done = subprocess.run(
            [*verb, *words],
            cwd=tmp_path,
            env={**os.environ, "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        return done.returncode, json.loads(done.stdout or "{}"), done.stderr

    return run

"""The walk-through of examples/keras_course: what is said first at each stop."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

COURSE = Path(__file__).parent.parent / "examples" / "keras_course"


def made(folder: Path) -> Path:
    """Copy the walk-through, and make its data as its reader does."""
    course = folder / "course"
    shutil.copytree(
        COURSE, course, ignore=shutil.ignore_patterns("*.npz", "*.keras", "distilbert")
    )
    subprocess.run([sys.executable, "make_data.py"], cwd=course, check=True, capture_output=True)
    return course


def first(words: list[str], course: Path, script: str) -> dict[str, Any] | None:
    """Return the first finding of a script; None where there is nothing to say."""
    done = subprocess.run(
        [*words, "check", script, "--output-format", "json"],
        cwd=course,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    findings: list[dict[str, Any]] = json.loads(done.stdout)["findings"]
    assert done.returncode == int(bool(findings)), done.stderr
    return findings[0] if findings else None


def stops_at(words: list[str], course: Path, script: str, code: str | None) -> None:
    """Show that a script has this fault first (None: none at all), and that the README tells it."""
    found = first(words, course, script)
    assert (found and found["code"]) == code
    if found:
        for text in (found["code"], found["message"], found["remedy"]):
            assert plain(text) in told(script)


def told(script: str) -> str:
    """Return what the README has below a script, in one line."""
    parts = (COURSE / "README.md").read_text(encoding="utf-8").split("### `")
    return plain(next(part for part in parts if part.startswith(script)))


def plain(text: str) -> str:
    """Return a text in one line, without the scores, which a new head draws by chance."""
    return re.sub(r"\(\S+ to \S+ in the first batch\)", "(scores)", " ".join(text.split()))

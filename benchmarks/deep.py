"""
The long matrices, some tests at a time, so that a cut run goes on later.

    python benchmarks/deep.py [--again] [--smoke] [MATRIX…] [PYTEST ARGUMENTS]

What passed with the present sources is not run again (`--again` forgets that). At the end the
result is written to benchmarks/results/MATRIX-DATE.json. `--smoke` runs the few tests of a matrix
that are marked so, and remembers nothing.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
STATE = ROOT / ".deep" / "passed.json"

TOGETHER = 50
"""Tests in one process: importing torch takes longer than most of them."""

COLD = ("--cold", "-v", "--tb=short", "-rA")


State = dict[str, dict[str, Any]]
"""What has come of each matrix."""


@dataclass(frozen=True)
class Matrix:
    """Tests, and where they run."""

    marked: str
    """As after pytest's `-m`; empty: all."""
    tests: tuple[str, ...] = ()
    """Files and folders; all without."""
    folder: str = ".venv"
    """Of the environment; the Makefile builds it."""
    environment: Mapping[str, str] = field(default_factory=dict)

    def pytest(self, *words: str, marked: str = "", shown: bool = False) -> tuple[int, str]:
        """Run pytest there; return its status and what it says unless that is shown at once."""
        # The first one is ours, wherever it is: it may have been built by hand.
        first = self.folder == ".venv"
        python = sys.executable if first else str(ROOT / self.folder / "bin" / "python")
        marks = marked or self.marked
        command = [python, "-m", "pytest", *(("-m", marks) if marks else ()), *words]
        environment = {**os.environ, **self.environment}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, text=True, capture_output=not shown, check=False
        )
        return done.returncode, f"{done.stdout}{(done.stderr or '')[-2000:]}"


def on_each_backend() -> tuple[str, ...]:
    """Return the tests of what Keras does: folders of its name, files that are marked."""
    folders = [path for path in ROOT.glob("tests/*/keras") if path.parent.name != "checks"]
    files = [
        path
        for path in ROOT.glob("tests/**/test_*.py")
        if "mark.keras" in path.read_text(encoding="utf-8") and path.parent not in folders
    ]
    return tuple(str(path.relative_to(ROOT)) for path in sorted(folders + files))


def matrices() -> dict[str, Matrix]:
    """Return all of them by name."""
    keras, elsewhere = on_each_backend(), "not tensorflow"
    return {
        "deep": Matrix("deep"),
        "keras-torch": Matrix(elsewhere, keras, environment={"KERAS_BACKEND": "torch"}),
        "keras-jax": Matrix(elsewhere, keras, ".venv-jax", {"KERAS_BACKEND": "jax"}),
        "legacy": Matrix("", ("tests/legacy",), ".venv-legacy"),
    }


def sources() -> str:
    """Return a digest of all that the outcome rests on."""
    digest = hashlib.sha256()
    for folder in ("src", "checks", "tests"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    for path in sorted(ROOT.glob("constraints*.txt")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def collect(matrix: Matrix, arguments: list[str]) -> list[str]:
    """Return the ids of its tests."""
    status, listed = matrix.pytest("--collect-only", "-q", *arguments, *matrix.tests)
    if status:
        print(listed[-4000:])
    return [line for line in listed.splitlines() if "::" in line and " " not in line.split("[")[0]]


def run(matrix: Matrix, tests: list[str]) -> dict[str, list[str]]:
    """Run tests in a process of their own; return those that passed, were skipped, and failed."""
    _, said = matrix.pytest(*COLD, *tests)
    lines = said.splitlines()
    passed = {line[7:] for line in lines if line.startswith("PASSED ")}
    skipped = {test for test in tests for line in lines if line.startswith(f"{test} SKIPPED")}
    failed = [test for test in tests if test not in passed | skipped]
    if failed:
        print(said[-6000:])
    return {
        "passed": [test for test in tests if test in passed],
        "skipped": [test for test in tests if test in skipped],
        "failed": failed,
    }


def smoke(chosen: Mapping[str, Matrix]) -> int:
    """Run what is marked so in each; return 1 if something fails, or there is nothing."""
    bad = []
    for name, matrix in chosen.items():
        print(f"--- {name}", flush=True)
        marked = " and ".join(filter(None, ("smoke", "not deep", matrix.marked)))
        if matrix.pytest("-q", *matrix.tests, marked=marked, shown=True)[0]:
            bad.append(name)
    print(f"not well: {', '.join(bad)}" if bad else "all well")
    return int(bool(bad))


def resume(name: str, matrix: Matrix, arguments: list[str], state: State) -> bool:
    """Run what has not passed yet, and keep what has; return whether all is well."""
    of_it = state.setdefault(name, {"seconds": 0.0, "passed": [], "skipped": [], "failed": []})
    of_it["failed"] = []
    tests = collect(matrix, arguments)
    left = [test for test in tests if test not in {*of_it["passed"], *of_it["skipped"]}]
    for first in range(0, len(left), TOGETHER):
        start = time.monotonic()
        for outcome, those in run(matrix, left[first : first + TOGETHER]).items():
            of_it[outcome] += those
        of_it["seconds"] = round(of_it["seconds"] + time.monotonic() - start, 1)
        STATE.parent.mkdir(exist_ok=True)
        STATE.write_text(json.dumps({"sources": sources(), "matrices": state}, indent=1))
        counts = (f"{len(of_it[word])} {word}" for word in ("passed", "skipped", "failed"))
        print(f"{name}: {', '.join(counts)} of {len(tests)}", flush=True)
    if not tests:
        print(f"{name}: no test")
    return bool(tests) and not of_it["failed"]


def main(arguments: list[str]) -> int:
    """Run what has not passed yet; return 1 if something fails."""
    known = matrices()
    chosen = {name: known[name] for name in arguments if name in known} or known
    rest = [word for word in arguments if word not in {*known, "--again", "--smoke"}]
    if "--smoke" in arguments:
        return smoke(chosen)
    state: State = {}
    if STATE.exists() and "--again" not in arguments:
        before = json.loads(STATE.read_text())
        state = before["matrices"] if before.get("sources") == sources() else {}
    well = [resume(name, matrix, rest, state) for name, matrix in chosen.items()]
    today = dt.datetime.now(tz=dt.timezone.utc).date().isoformat()
    for name in chosen:
        if not (of_it := state[name])["passed"]:
            continue
        passed = Counter(test.partition("[")[0] for test in of_it["passed"])
        result = ROOT / "benchmarks" / "results" / f"{name}-{today}.json"
        result.write_text(json.dumps({"date": today, **of_it, "passed": passed}, indent=1) + "\n")
    return int(not all(well))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

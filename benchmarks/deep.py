"""
The long matrices: every test marked `deep`, some at a time, so that a cut run goes on later.

    python benchmarks/deep.py [--again] [PYTEST ARGUMENTS]

What passed with the present sources is not run again (`--again` forgets that). At the end the
result is written to benchmarks/results/deep-DATE.json.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
STATE = ROOT / ".deep" / "passed.json"

TOGETHER = 50
"""Tests in one process: importing torch takes longer than most of them."""


def sources() -> str:
    """Return a digest of all that the outcome rests on."""
    digest = hashlib.sha256()
    for folder in ("src", "checks", "tests"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def collect(arguments: list[str]) -> list[str]:
    """Return the ids of the deep tests."""
    command = [sys.executable, "-m", "pytest", "-m", "deep", "--collect-only", "-q", *arguments]
    listed = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    return [line for line in listed.stdout.splitlines() if "::" in line]


def run(tests: list[str]) -> tuple[list[str], list[str]]:
    """Run tests in a process of their own; return those that passed and those that did not."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-m",
        "deep",
        "--cold",
        "-q",
        "--tb=short",
        "-rA",
        *tests,
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    passed = {line[7:] for line in done.stdout.splitlines() if line.startswith("PASSED ")}
    failed = [test for test in tests if test not in passed]
    if failed:
        print(done.stdout[-4000:], done.stderr[-2000:])
    return [test for test in tests if test in passed], failed


def main(arguments: list[str]) -> int:
    """Run what has not passed yet; return 1 if something fails."""
    state = {"sources": sources(), "passed": [], "seconds": 0.0}
    if STATE.exists() and "--again" not in arguments:
        known = json.loads(STATE.read_text())
        state = known if known["sources"] == state["sources"] else state
    failed: list[str] = []
    tests = collect([argument for argument in arguments if argument != "--again"])
    left = [test for test in tests if test not in set(state["passed"])]
    for first in range(0, len(left), TOGETHER):
        start = time.monotonic()
        good, bad = run(left[first : first + TOGETHER])
        state["passed"] += good
        state["seconds"] = round(state["seconds"] + time.monotonic() - start, 1)
        failed += bad
        STATE.parent.mkdir(exist_ok=True)
        STATE.write_text(json.dumps(state, indent=1))
        print(f"{len(state['passed'])} of {len(tests)} passed, {len(failed)} failed", flush=True)
    today = dt.datetime.now(tz=dt.timezone.utc).date().isoformat()
    by_test: dict[str, int] = {}
    for test in state["passed"]:
        by_test[test.partition("[")[0]] = by_test.get(test.partition("[")[0], 0) + 1
    summary = {"date": today, "seconds": state["seconds"], "passed": by_test, "failed": failed}
    result = ROOT / "benchmarks" / "results" / f"deep-{today}.json"
    result.write_text(json.dumps(summary, indent=1) + "\n")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

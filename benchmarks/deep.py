"""
The long matrices: every test marked `deep`, one process each, so that a cut run goes on later.

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


def main(arguments: list[str]) -> int:
    """Run what has not passed yet; return 1 if something fails."""
    state = {"sources": sources(), "passed": {}}
    if STATE.exists() and "--again" not in arguments:
        known = json.loads(STATE.read_text())
        state = known if known["sources"] == state["sources"] else state
    failed = []
    tests = collect([argument for argument in arguments if argument != "--again"])
    for number, test in enumerate(tests, 1):
        if test in state["passed"]:
            continue
        start = time.monotonic()
        command = [sys.executable, "-m", "pytest", "-m", "deep", "-q", test]
        done = subprocess.run(command, cwd=ROOT, check=False)
        seconds = round(time.monotonic() - start, 1)
        print(f"[{number}/{len(tests)}] {test}: exit {done.returncode}, {seconds} s", flush=True)
        if done.returncode:
            failed.append(test)
            continue
        state["passed"][test] = seconds
        STATE.parent.mkdir(exist_ok=True)
        STATE.write_text(json.dumps(state, indent=1))
    today = dt.datetime.now(tz=dt.timezone.utc).date().isoformat()
    result = ROOT / "benchmarks" / "results" / f"deep-{today}.json"
    summary = {"date": today, **state, "failed": failed}
    result.write_text(json.dumps(summary, indent=1) + "\n")
    print(f"{len(state['passed'])} passed, {len(failed)} failed")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

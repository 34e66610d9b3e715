"""
What is said of each state that a run is resumed from, and what a real Trainer then does.

    python benchmarks/resume.py [ROW...]

The table goes to standard output, and all of it to benchmarks/results/resume-DATE.json.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from checkpoints import test_resume_matrix as matrix  # noqa: E402 - found by the path above
from checkpoints.rows import ROWS  # noqa: E402 - found by the path above


def told(outcome: dict[str, object]) -> str:
    """Return an outcome in a few words."""
    if "signal" in outcome:
        return f"killed by signal {outcome['signal']}"
    if "error" in outcome:
        return str(outcome["error"]).partition("\n")[0][:90]
    shown = (f"{name} {outcome[name]:.6g}" for name in ("step", "optimizer_steps", "loss", "last"))
    return ", ".join(shown)


def main(names: list[str]) -> int:
    """Do the rows, and return 1 if one is not as it was said."""
    from importlib.metadata import version

    rows, wrong = {}, 0
    with tempfile.TemporaryDirectory() as folder:
        done = matrix.run(Path(folder), names)
        for name in names:
            row = ROWS[name]
            found = sorted(matrix.said(Path(folder) / name, row, done[name]))
            good = found == sorted(row.found) and matrix.happened(row, done[name])
            wrong += not good
            rows[name] = {"found": found, "happened": told(done[name]), "as_said": good}
            print(
                f"| {name} | {' '.join(found) or '-'} | {told(done[name])} | {good} |", flush=True
            )
    today = dt.datetime.now(tz=dt.timezone.utc).date().isoformat()
    versions = {name: version(name) for name in ("transformers", "torch", "numpy")}
    result = ROOT / "benchmarks" / "results" / f"resume-{today}.json"
    result.write_text(json.dumps({"date": today, **versions, "rows": rows}, indent=1) + "\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(ROWS)))

"""
Real pipelines with planted faults: what `overfit` says first, and if all is as it was afterwards.

    python benchmarks/sick.py [PIPELINE[-FAULT]…]

What was run before with the same verdict on record is run again only if it is named. The result is
in benchmarks/results/sick-DATE.json, one line a case.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from sick_pipelines import combinations, examined, right  # noqa: E402 - found by the line above

from pipedoctor.fact import Unavailable  # noqa: E402 - likewise
from pipedoctor.pipeline import ProbeFailed  # noqa: E402 - likewise


def main(named: list[str]) -> int:
    """Run what is named, or has not been run; return 1 if a verdict is wrong."""
    warnings.simplefilter("ignore")
    today = dt.datetime.now(tz=dt.timezone.utc).date().isoformat()
    path = ROOT / "benchmarks" / "results" / f"sick-{today}.json"
    known: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    for name, fault in combinations():
        key = f"{name}-{fault.name if fault is not None else 'healthy'}"
        if not any(key.startswith(word) for word in named) if named else key in known:
            continue
        start = time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            try:
                fact, same = examined(name, fault, Path(folder))
            except (Unavailable, ProbeFailed) as error:
                print(key, repr(error), flush=True)
                continue
        known[key] = {
            "verdict": fact.verdict,
            "reasons": [reason.kind for reason in fact.reasons],
            "steps": fact.steps,
            "as_before": bool(same and fact.restored),
            "right": right(fact, fault),
            "cpu_seconds": round(time.process_time() - start, 1),
        }
        print(key, known[key], flush=True)
        lines = [f"{json.dumps(key)}: {json.dumps(known[key])}" for key in sorted(known)]
        path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
        if not known[key]["right"]:
            for curve in fact.curves:
                print("   ", curve.optimizer, curve.rate, [round(x, 4) for x in curve.losses])
            print(
                "   ", fact.chance, fact.floor, fact.control, fact.needed, fact.planned, fact.notes
            )
    return int(not all(one["right"] and one["as_before"] for one in known.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""
The verdict on one batch, over models, faults and seeds: how often it is right, and how soon.

    python benchmarks/overfit.py [SEEDS]

The result is written to benchmarks/results/overfit-DATE.json.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import time
import warnings
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from overfit_pipelines import case, combinations, overfit, right  # noqa: E402 - found by the line above


def main(seeds: int) -> int:
    """Run all combinations; return 1 if a verdict is wrong."""
    warnings.simplefilter("ignore")
    start, rows = time.monotonic(), []
    for model, fault, seed in combinations(seeds):
        one = case(model, seed)
        if fault is not None:
            fault.plant(one)
        fact = overfit(one)
        name = "healthy" if fault is None else fault.name
        rows.append({
            "model": model, "fault": name, "seed": seed, "verdict": fact.verdict,
            "reasons": [reason.kind for reason in fact.reasons], "steps": fact.steps,
            "restored": fact.restored, "right": right(fact, fault),
            "expected": "learns" if fault is None else fault.verdicts[0],
        })  # fmt: skip
        if not rows[-1]["right"]:
            print(rows[-1], flush=True)
    wrong = [r for r in rows if r["verdict"] not in {r["expected"], "inconclusive"}]
    steps = {
        kind: max(
            int(str(r["steps"])) for r in rows if (r["fault"] == "healthy") is (kind == "healthy")
        )
        for kind in ("healthy", "sick")
    }
    summary = {
        "date": dt.datetime.now(tz=dt.timezone.utc).date().isoformat(),
        "combinations": len(rows),
        "wrong_verdicts": len(wrong),
        "inconclusive": sum(r["verdict"] == "inconclusive" for r in rows),
        "first_reason_right": sum(bool(r["right"]) for r in rows),
        "restored": sum(bool(r["restored"]) for r in rows),
        "most_steps": steps,
        "seconds": round(time.monotonic() - start, 1),
        "rows": rows,
    }
    print({key: value for key, value in summary.items() if key != "rows"})
    path = ROOT / "benchmarks" / "results" / f"overfit-{summary['date']}.json"
    path.write_text(json.dumps(summary, indent=1) + "\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))

"""
The verdict on one batch, over models, faults and seeds: how often it is right, and how soon.

    python benchmarks/overfit.py [SEEDS [FIRST [MODEL]]]

SEEDS of them (3) from FIRST (0) on. The rules were made on the seeds 0 to 2, so that only others
tell how good they are. The result is written to benchmarks/results/overfit-DATE.json, that of
other seeds to overfit-seeds-FIRST-LAST-DATE.json. MODEL is one of a real size, in place of the
small ones: bert-small.
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

from overfit_pipelines import case, combinations, large, overfit, right  # noqa: E402 - found by the line above


def main(number: int, first: int = 0, model: str = "") -> int:
    """Run all combinations with so many seeds; return 1 if a verdict is wrong."""
    warnings.simplefilter("ignore")
    start, rows = time.monotonic(), []
    seeds = range(first, first + number)
    for name, fault, seed in large(model, seeds) if model else combinations(seeds):
        one = case(name, seed)
        if fault is not None:
            fault.plant(one)
        fact = overfit(one)
        rows.append({
            "model": name, "fault": "healthy" if fault is None else fault.name, "seed": seed, "verdict": fact.verdict,
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
    healthy = [row for row in rows if row["fault"] == "healthy"]
    summary = {
        "date": dt.datetime.now(tz=dt.timezone.utc).date().isoformat(),
        "combinations": len(rows),
        "wrong_verdicts": len(wrong),
        "inconclusive": sum(r["verdict"] == "inconclusive" for r in rows),
        "first_reason_right": sum(bool(r["right"]) for r in rows),
        "restored": sum(bool(r["restored"]) for r in rows),
        "most_steps": steps,
        "most_steps_healthy": {
            name: max(int(str(r["steps"])) for r in healthy if r["model"] == name)
            for name in dict.fromkeys(str(row["model"]) for row in healthy)
        },
        "seconds": round(time.monotonic() - start, 1),
        "rows": rows,
    }
    print({key: value for key, value in summary.items() if key != "rows"})
    which = "" if first == 0 else f"seeds-{first}-{first + number - 1}-"
    which = f"{model}-{which}" if model else which
    path = ROOT / "benchmarks" / "results" / f"overfit-{which}{summary['date']}.json"
    path.write_text(json.dumps(summary, indent=1) + "\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:3] or ("3",)), *sys.argv[3:]))

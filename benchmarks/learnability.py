"""
How often labels that go with their inputs are told from shuffled ones: 50 seeds of each kind.

    python benchmarks/learnability.py [SEEDS] [KIND…]

Each seed is written to benchmarks/results/learnability-KIND-DATE.json when it is done, and not run
again on that day: a cut run goes on later.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from learnability_pipelines import KINDS, learnability  # noqa: E402 - found by the line above

from pipedoctor.facts.learnability import RELATED, UNRELATED  # noqa: E402 - likewise

SIDES = ("as it is", "shuffled")


def one(kind: str, seed: int, side: str) -> dict[str, Any]:
    """Measure one pipeline."""
    start = time.process_time()
    fact = learnability(kind, seed, shuffled=side == "shuffled")
    pairs = list(zip(fact.losses, fact.shuffled, strict=False))
    return {
        "verdict": fact.verdict,
        "reason": fact.reason,
        "model": [round(fact.model.p, 4), round(fact.model.z, 2)],
        "baseline": [round(fact.baseline.p, 4), round(fact.baseline.z, 2)]
        if fact.baseline
        else [],
        "faster": round(1 - sum(a for a, _ in pairs) / sum(b for _, b in pairs), 3)
        if pairs
        else None,
        "worse": fact.worse and fact.fitted,
        "updates": fact.updates,
        "restored": fact.restored,
        "cpu_s": round(time.process_time() - start, 2),
    }


def shown(kind: str, side: str, seeds: Mapping[str, Any]) -> str:
    """Return the line of one kind and side."""
    every = list(seeds.values())

    def share(wanted: Any) -> str:
        return f"{sum(map(bool, map(wanted, every)))}/{len(every)}"

    return (
        f"{kind:8} {side:9} related {share(lambda s: s['verdict'] == RELATED)}, "
        f"unrelated {share(lambda s: s['verdict'] == UNRELATED)}; "
        f"model p <= 0.001 {share(lambda s: s['model'][0] <= 0.001)}, "
        f"baseline p <= 0.005 {share(lambda s: s['baseline'] and s['baseline'][0] <= 0.005)}, "
        f"losses lower by a fourth {share(lambda s: (s['faster'] or 0) > 0.25)}, "
        f"worse than the baseline {share(lambda s: s['worse'])}, "
        f"put back {share(lambda s: s['restored'])}, "
        f"{sum(s['cpu_s'] for s in every) / len(every):.1f} s CPU"
    )


def main(arguments: list[str]) -> None:
    """Measure all kinds, or those that are named."""
    seeds = next((int(word) for word in arguments if word.isdigit()), 50)
    today = dt.datetime.now(tz=dt.timezone.utc).date().isoformat()
    for kind in [word for word in arguments if word in KINDS] or list(KINDS):
        path = ROOT / "benchmarks" / "results" / f"learnability-{kind}-{today}.json"
        told = json.loads(path.read_text()) if path.exists() else {side: {} for side in SIDES}
        for seed in range(seeds):
            for side in SIDES:
                if str(seed) not in told[side]:
                    told[side][str(seed)] = one(kind, seed, side)
                    path.write_text(json.dumps(told, indent=0) + "\n")
        for side in SIDES:
            print(shown(kind, side, told[side]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

"""
How often labels that go with their inputs are told from shuffled ones: 50 seeds of each kind.

    python benchmarks/learnability.py [SEEDS] [KIND…]

The result is written to benchmarks/results/learnability-DATE.json after each kind, and kinds that
are in the file of today are not run again.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from learnability_pipelines import KINDS, learnability  # noqa: E402 - found by the line above

from pipedoctor.facts.learnability import RELATED, UNRELATED  # noqa: E402 - likewise


def one_kind(kind: str, seeds: int) -> dict[str, Any]:
    """Measure one kind of data, as it is and with its labels shuffled."""
    told: dict[str, Any] = {"seeds": seeds}
    for shuffled in (False, True):
        start = time.process_time()
        facts = [learnability(kind, seed, shuffled=shuffled) for seed in range(seeds)]
        verdicts = Counter(fact.verdict for fact in facts)
        told["shuffled" if shuffled else "as it is"] = {
            "verdicts": dict(verdicts),
            "related": verdicts[RELATED] / seeds,
            "unrelated": verdicts[UNRELATED] / seeds,
            "by the model alone": sum(fact.model.p <= 0.001 for fact in facts) / seeds,
            "by the baseline alone": sum(
                fact.baseline is not None and fact.baseline.p <= 0.005 for fact in facts
            )
            / seeds,
            "by learning faster": sum(_faster(fact) > 0.25 for fact in facts) / seeds,
            "faster": sorted(round(_faster(fact), 3) for fact in facts if fact.shuffled),
            "reasons": dict(Counter(fact.reason for fact in facts)),
            "updates": sum(fact.updates for fact in facts) / seeds,
            "worse than the baseline": sum(fact.worse and fact.fitted for fact in facts),
            "restored": sum(fact.restored for fact in facts),
            "cpu_s": round((time.process_time() - start) / seeds, 2),
        }
    return told


def _faster(fact: Any) -> float:
    pairs = list(zip(fact.losses, fact.shuffled, strict=False))
    return 1 - sum(a for a, _ in pairs) / sum(b for _, b in pairs) if pairs else 0.0


def main(arguments: list[str]) -> None:
    """Measure all kinds, or those that are named."""
    seeds = next((int(word) for word in arguments if word.isdigit()), 50)
    kinds = [word for word in arguments if word in KINDS] or list(KINDS)
    today = dt.datetime.now(tz=dt.timezone.utc).date().isoformat()
    path = ROOT / "benchmarks" / "results" / f"learnability-{today}.json"
    results = json.loads(path.read_text()) if path.exists() else {"date": today, "kinds": {}}
    for kind in kinds:
        if results["kinds"].get(kind, {}).get("seeds") != seeds:
            told = one_kind(kind, seeds)
            if path.exists():  # others may have been measured meanwhile
                results = json.loads(path.read_text())
            results["kinds"][kind] = told
            path.write_text(json.dumps(results, indent=1) + "\n")
        for side in ("as it is", "shuffled"):
            told = results["kinds"][kind][side]
            print(
                f"{kind:8} {side:9} related {told['related']:.0%}, unrelated "
                f"{told['unrelated']:.0%}; model alone {told['by the model alone']:.0%}, baseline "
                f"{told['by the baseline alone']:.0%}; {told['updates']:.0f} updates, "
                f"{told['cpu_s']} s CPU",
                flush=True,
            )


if __name__ == "__main__":
    main(sys.argv[1:])

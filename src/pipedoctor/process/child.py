"""The child: runs the checks that need data and model, and tells each outcome at once."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from pipedoctor import examination, registry, serial
from pipedoctor.fact import Cost, Fact, Split
from pipedoctor.failures import attribute
from pipedoctor.options import Options
from pipedoctor.pipeline import summaries
from pipedoctor.targets import resolve


def main(request: dict[str, Any]) -> None:
    """Examine as requested, and write to the descriptor that the request names."""
    with os.fdopen(request["descriptor"], "w", encoding="utf-8") as channel:

        def send(**message: Any) -> None:
            channel.write(json.dumps(message, default=str) + "\n")
            channel.flush()

        def watch(kind: type[Fact], split: Split | None) -> None:
            send(measuring=kind.__name__, split=split.value if split else None)

        options = Options(
            depth=Cost[request["depth"]],
            checks=request["checks"],
        )
        known = registry.load()
        rows = [known.row(code) for code in request["run"]]
        everyone = [known.row(code) for code in request["known"]]
        subject = examination.pipeline(resolve(request["target"]), options.depth)
        subject.watch = watch
        outcomes = []
        for _, outcome in examination.run_rows(rows, subject, options):
            outcomes.append(outcome)
            send(outcome=serial.outcome(outcome))
        for outcome in attribute(outcomes, subject, everyone):
            send(outcome=serial.outcome(outcome))
        send(facts=serial.plain(summaries(subject.measurements)), done=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))

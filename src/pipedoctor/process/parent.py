"""The parent's side: asks a child for the outcomes of checks, and tells what became of it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipedoctor import serial
from pipedoctor.finding import Finding
from pipedoctor.options import Options
from pipedoctor.process.watching import Fate, Limits, watch_child
from pipedoctor.registry import Row
from pipedoctor.report import Outcome, Status

DIED = "RUN001"
STOPPED = "RUN003"


@dataclass
class Answer:
    """What a child told so far: outcomes by code, facts, and what it is measuring."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    facts: list[dict[str, object]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    measuring: str | None = None
    done: bool = False


def examine(
    target: str,
    rows: Sequence[Row],
    known: Sequence[Row],
    options: Options,
    watch: Callable[[str], None] | None = None,
) -> Answer:
    """
    Run checks on a target in a child process.

    `known` are all checks that may give a name to what the child meets. The checks that it did
    not reach are skipped, with the reason.
    """
    answer = Answer()
    rules = {row.code: row.rule for row in known}

    def receive(message: dict[str, Any]) -> None:
        if "outcome" in message:
            outcome = serial.read_outcome(message["outcome"], rules[message["outcome"]["code"]])
            answer.outcomes[outcome.rule.code] = outcome
        if "measuring" in message:
            split = f" ({message['split']})" if message["split"] else ""
            answer.measuring = f"{message['measuring'].lower()}{split}"
        answer.facts = message.get("facts", answer.facts)
        answer.done = message.get("done", answer.done)

    def tick() -> bool:
        if watch is not None:
            watch(f"measuring {answer.measuring}" if answer.measuring else "loading frameworks")
        return answer.measuring is not None

    with tempfile.TemporaryFile() as printed:
        request = _request(target, rows, known, options)
        fate = watch_child(request, Limits(options.seconds), printed, receive, tick)
    if not answer.done:
        _explain(answer, fate, rows, known)
    return answer


def _request(
    target: str, rows: Sequence[Row], known: Sequence[Row], options: Options
) -> dict[str, Any]:
    return {
        "target": target,
        "run": [row.code for row in rows],
        "known": [row.code for row in known],
        "depth": options.depth.name,
        "checks": {code: dict(values) for code, values in options.checks.items()},
    }


def _explain(answer: Answer, fate: Fate, rows: Sequence[Row], known: Sequence[Row]) -> None:
    """Say what became of a child that did not come home, and what that leaves unknown."""
    code = STOPPED if fate.stopped else DIED
    remedy = (
        "allow more with --time, or go less deep with --depth files"
        if fate.stopped
        else "run the training script itself: it will meet the same; if memory is short, try a "
        "smaller model or batch"
    )
    doing = f"measuring {answer.measuring}" if answer.measuring else "starting"
    text = f"The process that loads data and model {fate.text} while {doing}"
    rule = next((row.rule for row in known if row.code == code), None)
    if rule is None:
        answer.problems.append(text)
    else:
        evidence = {"fate": fate.text, "doing": doing, "last_line": fate.last_line}
        finding = Finding(text, remedy, evidence=evidence)
        answer.outcomes[code] = Outcome(rule, Status.BLOCKED, (finding,), text)
    for row in rows:
        if row.code not in answer.outcomes:
            reason = f"the process that loads data and model {fate.text}"
            answer.outcomes[row.code] = Outcome(
                row.rule, Status.SKIPPED, reason=reason, blocked_by=code
            )

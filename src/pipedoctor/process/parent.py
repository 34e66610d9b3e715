"""The parent's side: asks a child for the outcomes of checks, and tells what became of it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipedoctor import serial
from pipedoctor.facts import Deadline
from pipedoctor.finding import Finding
from pipedoctor.options import Options
from pipedoctor.process.watching import Fate, watch_child
from pipedoctor.registry import Row
from pipedoctor.report import Outcome, Rule, Status
from pipedoctor.targets import Target

DIED = "RUN001"
STOPPED = "RUN003"


@dataclass
class Answer:
    """What a child told so far: outcomes by code, facts, and what it is doing."""

    rules: Mapping[str, Rule]
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    facts: list[dict[str, object]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    doing: str = "starting"
    fault: str = ""
    """What went wrong in our own code there."""
    done: bool = False

    def take(self, message: Mapping[str, Any]) -> None:
        """Take in a message."""
        if "outcome" in message:
            rule = self.rules[message["outcome"]["code"]]
            self.outcomes[rule.code] = serial.read_outcome(message["outcome"], rule)
        if "doing" in message:
            split = f" ({message['split']} data)" if message["split"] else ""
            self.doing = message["doing"][:1].lower() + message["doing"][1:] + split
        self.facts = message.get("facts", self.facts)
        self.problems += message.get("problems", [])
        self.fault = message.get("fault", self.fault)
        self.done = message.get("done", self.done)


def examine(
    target: Target,
    rows: Sequence[Row],
    known: Sequence[Row],
    options: Options,
    watch: Callable[[str], None] | None = None,
) -> Answer:
    """
    Run checks on a target in a child process.

    `known` are all checks that may give a name to what the child meets. The checks that it did
    not reach are blocked, with the reason.
    """
    answer = Answer({row.code: row.rule for row in known})

    def tick() -> None:
        if watch is not None:
            watch(answer.doing)

    request = _request(target, rows, known, options)
    if target.kind != "config":  # what the user's own code prints is for the user to see
        fate = watch_child(request, options.seconds, None, answer.take, tick)
    else:
        with tempfile.TemporaryFile() as printed:
            fate = watch_child(request, options.seconds, printed, answer.take, tick)
    if not answer.done:
        _explain(answer, fate, options, rows, known)
    for row in rows:  # a report must not look complete where something is lacking
        if row.code not in answer.outcomes:
            fault = f"the process told nothing of it: {answer.fault or 'nobody knows why'}"
            answer.outcomes[row.code] = Outcome(row.rule, Status.CRASHED, reason=fault)
    return answer


def _request(
    target: Target, rows: Sequence[Row], known: Sequence[Row], options: Options
) -> dict[str, Any]:
    return {
        "target": target.name,
        "kind": target.kind,
        "arguments": list(target.arguments),
        "run": [row.code for row in rows],
        "known": [row.code for row in known],
        "depth": options.depth.name,
        "seconds": options.seconds,
        "checks": {code: dict(values) for code, values in options.checks.items()},
    }


def _explain(
    answer: Answer, fate: Fate, options: Options, rows: Sequence[Row], known: Sequence[Row]
) -> None:
    """Say what became of a child that did not come home, and what that leaves unknown."""
    code = STOPPED if fate.stopped else DIED
    row = next((row for row in known if row.code == code), None)
    if row is None:  # the user ignores that check, but a report must not look complete
        answer.problems.append(
            f"the process that loads data and model {fate.text} while {answer.doing}"
        )
    elif fate.stopped:
        findings = tuple(row.load()(Deadline(options.seconds, answer.doing)))
        answer.outcomes[code] = Outcome(row.rule, Status.BLOCKED, findings)
    else:
        answer.outcomes[code] = Outcome(row.rule, Status.BLOCKED, (_death(fate, answer.doing),))
    for other in rows:
        if other.code not in answer.outcomes:
            reason = f"the process that loads data and model {fate.text}"
            answer.outcomes[other.code] = Outcome(
                other.rule, Status.BLOCKED, reason=reason, blocked_by=code if row else None
            )


def _death(fate: Fate, doing: str) -> Finding:
    return Finding(
        message=f"The process that loads data and model {fate.text} while {doing}",
        evidence={"fate": fate.text, "doing": doing, "last_line": fate.last_line},
        remedy="run the training script itself: it will meet the same; if memory is short, try a "
        "smaller model or batch",
    )

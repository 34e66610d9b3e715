"""The parent's side: asks a child for the outcomes of checks, and tells what became of it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipedoctor import serial
from pipedoctor.clock import more
from pipedoctor.facts import Deadline
from pipedoctor.finding import Finding, Stage
from pipedoctor.options import Options
from pipedoctor.process.watching import Fate, watch_child
from pipedoctor.registry import Row
from pipedoctor.report import Outcome, Rule, Status
from pipedoctor.several import together
from pipedoctor.targets import Target

DIED = "RUN001"
STOPPED = "RUN003"


@dataclass(frozen=True)
class Task:
    """
    What a child is to do.

    `rows` are the checks to run; `known` all that may give a name to what the child meets;
    `figures` the names of facts whose figures are asked for besides.
    """

    rows: Sequence[Row]
    known: Sequence[Row]
    figures: Sequence[str] = ()


@dataclass
class Answer:
    """What a child told so far: outcomes by code, facts, and what it is doing."""

    rules: Mapping[str, Rule]
    trainings: dict[int, dict[str, Outcome]] = field(default_factory=dict)
    """The outcomes by code, for each training that a script started."""
    examined: int = 0
    """How many trainings were examined to the end."""
    facts: list[dict[str, object]] = field(default_factory=list)
    figures: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    doing: str = "starting"
    fault: str = ""
    """What went wrong in our own code there."""
    cut: str = ""
    """What is said where its time was not enough."""
    done: bool = False
    _training: int = 1

    @property
    def outcomes(self) -> dict[str, Outcome]:
        """The outcomes by code, of all trainings together."""
        return together(self.trainings)

    def add(self, outcome: Outcome) -> None:
        """Add an outcome that the child did not tell."""
        self.trainings.setdefault(self._training, {})[outcome.rule.code] = outcome

    def take(self, message: Mapping[str, Any]) -> None:
        """Take in a message."""
        self._training = message.get("training", self._training)
        if "outcome" in message:
            rule = self.rules[message["outcome"]["code"]]
            outcomes = self.trainings.setdefault(self._training, {})
            outcomes[rule.code] = serial.read_outcome(message["outcome"], rule)
        if "doing" in message:
            split = f" ({message['split']} data)" if message["split"] else ""
            self.doing = message["doing"][:1].lower() + message["doing"][1:] + split
        self.examined = message.get("examined", self.examined)
        self.facts += message.get("facts", [])
        self.figures |= message.get("figures", {})
        self.problems += message.get("problems", [])
        self.fault = message.get("fault", self.fault)
        self.done = message.get("done", self.done)


def examine(
    target: Target, task: Task, options: Options, watch: Callable[[str], None] | None = None
) -> Answer:
    """
    Run checks on a target in a child process.

    The checks that it did not reach are blocked, with the reason.
    """
    answer = Answer({row.code: row.rule for row in task.known})

    def tick() -> None:
        if watch is not None:
            watch(answer.doing)

    request = _request(target, task, options)
    if target.kind != "config":  # what the user's own code prints is for the user to see
        fate = watch_child(request, options.seconds, None, answer.take, tick)
    else:
        with tempfile.TemporaryFile() as printed:
            fate = watch_child(request, options.seconds, printed, answer.take, tick)
    if not answer.done and answer.examined:
        answer.problems.append(_further(target, fate, options))
    elif not answer.done:
        _explain(answer, fate, options, task)
    told = answer.outcomes
    for row in task.rows:  # a report must not look complete where something is lacking
        if row.code not in told:
            fault = f"the process told nothing of it: {answer.fault or 'nobody knows why'}"
            answer.add(Outcome(row.rule, Status.CRASHED, reason=fault))
    return answer


def _request(target: Target, task: Task, options: Options) -> dict[str, Any]:
    return {
        "target": target.name,
        "kind": target.kind,
        "arguments": list(target.arguments),
        "dialect": target.dialect,
        "run": [row.code for row in task.rows],
        "known": [row.code for row in task.known],
        "depth": options.depth.name,
        "seconds": options.seconds,
        "figures": list(task.figures),
        "shown": list(options.shown),
        "stated": {**_launch(target), **options.stated},
        "checks": {code: dict(values) for code, values in options.checks.items()},
    }


def _launch(target: Target) -> dict[str, Any]:
    """Return how a command starts its script, which the child runs without the launcher."""
    return {"launch": target.parts["launch"]} if "launch" in target.parts else {}


def _further(target: Target, fate: Fate, options: Options) -> str:
    """Say what became of the way to a further training: those before it were examined."""
    if fate.stopped:
        return (
            f"{target.name} may train again; not examined: it was not reached within "
            f"{options.seconds:g} s, which --time extends"
        )
    return f"{target.name} may train again; not examined: on the way there the process {fate.text}"


def _explain(answer: Answer, fate: Fate, options: Options, task: Task) -> None:
    """Say what became of a child that did not come home, and what that leaves unknown."""
    told = answer.outcomes
    missing = [other for other in task.rows if other.code not in told]
    if fate.stopped:
        _cut(answer, options.seconds, missing, task)
        return
    row = next((row for row in task.known if row.code == DIED), None)
    if row is None:  # the user ignores that check, but a report must not look complete
        answer.problems.append(
            f"the process that loads data and model {fate.text} while {answer.doing}"
        )
    else:
        answer.add(Outcome(row.rule, Status.BLOCKED, (_death(fate, answer.doing),)))
    for other in missing:
        if other.code != DIED:
            reason = f"the process that loads data and model {fate.text}"
            cause = DIED if row else None
            answer.add(Outcome(other.rule, Status.BLOCKED, reason=reason, blocked_by=cause))


def _cut(answer: Answer, seconds: float, missing: Sequence[Row], task: Task) -> None:
    """Say that the time was not enough: no fault, but nothing is known of what was not reached."""
    answer.cut = (
        f"time ran out after {seconds:g} s while {answer.doing}; {more(seconds)} allows more"
    )
    row = next((row for row in task.known if row.code == STOPPED), None)
    unseen = [other for other in missing if other.code != STOPPED]
    if row is not None:
        stages = sorted({other.rule.stage for other in unseen} - {Stage.ANY})
        names = tuple(stage.name.lower() for stage in stages)
        deadline = Deadline(seconds, answer.doing, names, len(unseen))
        answer.add(Outcome(row.rule, Status.FOUND, tuple(row.load()(deadline))))
    for other in unseen:
        reason = f"time ran out after {seconds:g} s"
        answer.add(Outcome(other.rule, Status.SKIPPED, reason=reason))


def _death(fate: Fate, doing: str) -> Finding:
    return Finding(
        message=f"The process that loads data and model {fate.text} while {doing}",
        evidence={"fate": fate.text, "doing": doing, "last_line": fate.last_line},
        remedy="run the training script itself: it will meet the same; if memory is short, try a "
        "smaller model or batch",
    )

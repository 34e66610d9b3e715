"""The child: runs the checks that need data and model, and tells each outcome at once."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import IO, Any, NoReturn

from pipedoctor import examination, frameworks, registry, serial
from pipedoctor.fact import Cost, Fact, Split
from pipedoctor.failures import attribute
from pipedoctor.options import Options
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline, summaries
from pipedoctor.targets import resolve


class Child:
    """What a request asks for, and the channel that the answers go to."""

    def __init__(self, request: Mapping[str, Any], channel: IO[str]) -> None:
        """Look the checks up; nothing is loaded yet."""
        known = registry.load()
        self._channel = channel
        self._seconds = request["seconds"]
        self._options = Options(depth=Cost[request["depth"]], checks=request["checks"])
        self._rows = [known.row(code) for code in request["run"]]
        self._everyone = [known.row(code) for code in request["known"]]

    def examine(self, parts: Mapping[str, Any]) -> None:
        """Run the checks on a pipeline of these parts, and send what comes of them."""
        try:
            self._examine(parts)
        except Exception as error:  # noqa: BLE001 - ours, and not to be taken for the user's
            self.send(fault=f"{type(error).__name__}: {error}")

    def _examine(self, parts: Mapping[str, Any]) -> None:
        given = parts if isinstance(parts, Parts) else Parts(parts)
        run = {"time_limit": self._seconds, **given.get("run", {})}
        given = given.also(run=run)
        problems: list[str] = []
        probes = frameworks.probes(given, problems)
        pipeline = Pipeline(given, probes, self._options.depth, self._watch)
        self.send(problems=problems)
        outcomes = []
        for _, outcome in examination.run_rows(self._rows, pipeline, self._options):
            outcomes.append(outcome)
            self.send(outcome=serial.outcome(outcome))
        for outcome in attribute(outcomes, pipeline, self._everyone):
            self.send(outcome=serial.outcome(outcome))
        self.send(facts=serial.plain(summaries(pipeline.measurements)))

    def send(self, **message: Any) -> None:
        """Send one message."""
        self._channel.write(json.dumps(message, default=str) + "\n")
        self._channel.flush()

    def _watch(self, kind: type[Fact], split: Split | None) -> None:
        doing = kind.doing or f"measuring the {kind.__name__.lower()}"
        self.send(doing=doing, split=split.value if split else None)


def run_script(child: Child, path: str, arguments: Sequence[str]) -> None:
    """Run a script up to its training, and examine that; or examine why it came to none."""
    from pipedoctor.capture import script
    from pipedoctor.capture.session import Session

    def examine(parts: Mapping[str, Any]) -> NoReturn:
        if session.stand_ins:  # that it gives no names must not look as if there were none
            parts = {name: part for name, part in parts.items() if name != "metrics"}
        child.examine({**parts, "run": {"trainings": 1, "ended": "reached its training"}})
        child.send(problems=session.problems, done=True)
        sys.stderr.flush()
        os._exit(0)  # see Session: nothing of the script's may run after this

    session = Session(examine)
    ended = script.run(path, arguments, session)
    child.examine({"run": {"trainings": 0, "ended": ended.text, "error": ended.error}})
    child.send(problems=session.problems)


def run_factory(child: Child, name: str) -> None:
    """Call a factory, and examine what it returns."""
    from pipedoctor.capture import factory

    try:
        parts = factory.parts(name)
    except Exception as error:  # noqa: BLE001 - the user's code runs in there, and may raise anything
        child.examine({"run": {"error": error}})
    else:
        child.examine({**parts, "run": {"trainings": 1, "ended": "returned"}})


def main(request: Mapping[str, Any]) -> None:
    """Examine as requested, and write to the descriptor that the request names."""
    os.set_inheritable(request["descriptor"], False)  # what the script starts has no use for it
    with os.fdopen(request["descriptor"], "w", encoding="utf-8") as channel:
        child = Child(request, channel)
        if request["kind"] != "config":
            child.send(doing=f"running the {request['kind']}", split=None)
        if request["kind"] == "script":
            run_script(child, request["target"], request["arguments"])
        elif request["kind"] == "factory":
            run_factory(child, request["target"])
        else:
            child.examine(resolve(request["target"]).parts)
        child.send(done=True)

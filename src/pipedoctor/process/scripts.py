"""Running a script in the child: each training that it starts is examined, as far as time allows."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from pipedoctor.capture import script
from pipedoctor.capture.guard import guard
from pipedoctor.capture.session import Proceed, Session
from pipedoctor.facts import Forward, Schedule, Script
from pipedoctor.pipeline import Pipeline
from pipedoctor.process.child import Child
from pipedoctor.targets import resolve
from pipedoctor.units import plural

DEARER = 3
"""A training step is about three forward passes: the backward pass takes two."""

DOUBT = 3
"""
The first forward pass is slow, so the time that a training takes is overestimated: only one that
seems to take so many times the time left is not begun.
"""


def run_script(child: Child, path: str, arguments: Sequence[str]) -> None:
    """Run a script, and examine each training it starts; or why it came to none."""
    child.given = resolve(path, arguments).parts
    run = _Run(child, path)
    child.send(doing="running the script", split=None)
    ended = script.run(path, arguments, run.session)
    child.send(problems=run.session.problems)
    if run.trainings == 0:
        told = {"trainings": 0, "ended": ended.text, "error": ended.error}
        child.examine({**run.session.sites.refused(ended.error), "run": told})
    elif ended.error is not None:
        told = {"trainings": run.trainings, "ended": ended.text, "error": ended.error}
        child.examine({"run": told}, run.trainings, only_found=True)
    child.finish()


class _Run:
    """The trainings of one script so far."""

    def __init__(self, child: Child, path: str) -> None:
        self._child = child
        self._path = path
        self._guarded = False
        self.trainings = 0
        self.session = Session(self._examine, scratch=tempfile.gettempdir())

    def _examine(self, parts: Mapping[str, Any]) -> Proceed:
        """Examine a training; come back only if another one may follow that can be reached."""
        self.trainings += 1
        told = {"trainings": self.trainings, "ended": "reached its training"}
        pipeline = self._child.examine({**parts, "run": told}, self.trainings)
        self._child.send(problems=self.session.problems)
        self.session.problems.clear()
        last = self._child.forked or self._child.wants_figures
        if pipeline is None or last or not self._another(pipeline):
            self._child.finish()
        if not self._guarded:
            self._guarded = True
            guard(self._stop)
        self._child.send(doing="running the script on to its next training", split=None)
        return Proceed.ASIDE

    def _another(self, pipeline: Pipeline) -> bool:
        """Whether the script may start another training, and this one leaves the time for it."""
        text, line = pipeline.optional(Script), self._line()
        if text is None or line is None or not text.further_than(line):
            return False
        settings = pipeline.parts.get("settings")
        seconds = _duration(pipeline)
        lacking = ""
        if getattr(settings, "push_to_hub", False):
            lacking = "this one would push to the hub"
        elif seconds is not None and seconds > DOUBT * self._child.left:
            lacking = f"this one alone takes about {plural(round(seconds / 60), 'minute')}"
        if lacking:
            self._child.send(problems=[f"{self._path} may train again; not examined: {lacking}"])
        return not lacking

    def _line(self) -> int | None:
        """Return the line of the script that is being run."""
        frame = sys._getframe()  # noqa: SLF001 - there is no other way to one's callers
        own = os.path.abspath(self._path)
        while frame is not None:
            if os.path.abspath(frame.f_code.co_filename) == own:
                return frame.f_lineno
            frame = frame.f_back  # type: ignore[assignment]  # None ends the loop
        return None

    def _stop(self, path: str) -> NoReturn:
        text = (
            f"{self._path} may train again; not examined: on the way there it would write to "
            f"{path}, and an examination writes nothing"
        )
        self._child.send(problems=[*self.session.problems, text])
        self._child.finish()


def _duration(pipeline: Pipeline) -> float | None:
    """Return about how many seconds a training takes, None if that can't be told."""
    schedule = pipeline.optional(Schedule)
    forward = [m.seconds for (kind, _), m in pipeline.measurements.items() if kind is Forward]
    if schedule is None or not schedule.known("total_steps") or not forward:
        return None
    return float(schedule.total_steps) * DEARER * min(forward)

"""Running a script in the child: each training that it starts is examined, as far as time allows."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from pipedoctor.capture import script
from pipedoctor.capture.guard import guard
from pipedoctor.capture.loops import LoopWish, batches_wanted
from pipedoctor.capture.script import Ended
from pipedoctor.capture.session import Proceed, Session
from pipedoctor.fact import Cost
from pipedoctor.facts import Forward, Schedule, Script
from pipedoctor.frameworks.capture import aside, loops
from pipedoctor.pipeline import Pipeline
from pipedoctor.process.child import Child
from pipedoctor.targets import resolve
from pipedoctor.units import plural

DEARER = 3
"""A training step is about three forward passes: the backward pass takes two."""

STEPS = 200
"""So many steps of a loop are watched: of a small one, that is a second or two."""

SHARE, LONG, LONGER = 0.35, 15.0, 0.6
"""The share of the time for a loop, but no more seconds than that; and the share for nan-trace."""

SLOWER = 1.5
"""A second run, in which some steps are looked into, is begun if there is so much more time."""

OPTIMIZER = re.compile(r"\boptim\.[A-Z]\w*\(|\b(?:AdamW?|SGD|RMSprop|Adagrad|LBFGS)\(")
"""What makes an optimizer, as it is usually written."""

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
    if run.trainings == 0 and run.loop_ended(ended):
        child.finish()
    if run.trainings == 0:
        told = {"trainings": 0, "ended": ended.text, "error": ended.error, **run.calls()}
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
        self._began = time.monotonic()
        self.trainings = 0
        self.session = Session(self._examine, scratch=tempfile.gettempdir())
        self.session.loops = self._wish()
        self.session.loop_started = self._loop_started

    def loop_ended(self, ended: Ended) -> bool:
        """Examine the loop of a script that has ended; return whether there was one."""
        watch = self.session.watching
        recording = None if watch is None else watch.recording
        if recording is None or not (recording.backwards or recording.steps):
            return False
        watch.rest()
        recording.ended = f"the script {ended.text}"
        self.trainings = 1
        told = {"trainings": 1, "ended": ended.text, "error": ended.error}
        self._child.examine({**loops.parts(self.session, recording), "run": told})
        return True

    def calls(self) -> dict[str, Any]:
        """Return how the script has used models of torch, if torch was watched."""
        watch = self.session.watching
        if watch is None:
            return {}
        return {"passes": watch.recording.backwards, "calls": watch.recording.without_gradient}

    def _wish(self) -> LoopWish:
        """Return how long loops are watched: for `nan-trace`, as long as it was asked for."""
        asked = self._child.asked
        steps, share = STEPS, SHARE
        wishes = asked["stated"].get("trace") or {}
        if wishes:
            named = wishes.get("steps") or wishes.get("batches") or 1
            steps = {"all": sys.maxsize, 1: STEPS}.get(named, named)
            share = LONGER
        elif Cost[asked["depth"]] < Cost.BACKWARD:
            steps = 1  # what more steps would tell is not asked for
        seconds = share * asked["seconds"]
        return LoopWish(
            steps=steps,
            seconds=seconds if wishes else min(seconds, LONG),
            further=self._further_loop,
            again=self._run_again,
            failing=asked.get("failing"),
            batches=batches_wanted(asked["stated"]),
        )

    def _loop_started(self) -> None:
        """From the first step on, nothing is written: what would is not reached."""
        self._child.send(doing="watching the first steps of the loop", split=None)
        if not self._guarded and not self._child.forked:
            self._guarded = True
            aside.watch_writers()
            guard(self._before_writing)

    def _before_writing(self, path: str) -> NoReturn:
        watch = self.session.watching
        if self.trainings:  # while we examine it
            raise PermissionError(f"pipedoctor examines this script: {path} is not written")
        ended = f"was about to write {path}"
        watch.finish(f"it {ended}")
        self.loop_ended(Ended(ended))  # unless it was examined: the watching had broken off before
        self._child.finish()

    def _run_again(self, step: int) -> None:
        """Run the script once more, to look at each operation of a step that was not finite."""
        taken = time.monotonic() - self._began
        if self._child.asked.get("failing") is None and self._child.left > SLOWER * taken:
            self._child.send(
                doing=f"running the script again, to look into step {step}", split=None
            )
            self._child.again(failing=step)

    def _further_loop(self) -> bool:
        """Whether the text makes another optimizer below the line that is being run."""
        frame, line = sys._getframe(), 0  # noqa: SLF001 - there is no other way to one's callers
        own = os.path.abspath(self._path)
        while frame is not None:
            if os.path.abspath(frame.f_code.co_filename) == own:
                line = frame.f_lineno  # the outermost is that of the module
            frame = frame.f_back  # type: ignore[assignment]  # None ends the loop
        rest = str(self._child.given["script"]).split("\n")[line:]
        return any(OPTIMIZER.search(text.partition("#")[0]) for text in rest)

    def _examine(self, parts: Mapping[str, Any]) -> Proceed:
        """Examine a training; come back only if another one may follow that can be reached."""
        self.trainings += 1
        told = {"trainings": self.trainings, "ended": "reached its training"}
        pipeline = self._child.examine({**parts, "run": told}, self.trainings)
        self._child.send(problems=self.session.problems)
        self.session.problems.clear()
        last = self._child.forked or self._child.wants_figures
        if "loop" in parts or pipeline is None or last or not self._another(pipeline):
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

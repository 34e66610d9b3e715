"""`pipedoctor run SCRIPT`: examine when its training starts, and train on if all is well."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Mapping
from typing import Any

from pipedoctor import registry
from pipedoctor.capture import script
from pipedoctor.capture.session import Proceed, Session
from pipedoctor.cli import CLEAN, FOUND, INTERRUPTED, collecting, reports
from pipedoctor.options import Options, UsageError
from pipedoctor.report import Report
from pipedoctor.targets import Target, resolve


def run(arguments: argparse.Namespace) -> int:
    """Run the script; return its exit status, or 1 if its pipeline is not ready."""
    if not arguments.target.endswith(".py"):
        raise UsageError(f"run takes a training script (.py), and {arguments.target} is none")
    target = resolve(arguments.target, arguments.arguments)
    reports.refuse_overwriting(arguments)
    if arguments.output_file:  # the script may go to another folder
        arguments.output_file = os.path.abspath(arguments.output_file)
    preflight = _Preflight(target, arguments, reports.options(arguments, registry.load()))
    collecting.as_usual()
    ended = script.run(target.name, target.arguments, preflight.session)
    if ended.raised is not None:
        return _status(ended.raised)
    if not preflight.trainings:
        print(f"pipedoctor: the script {ended.text}; no training was seen", file=sys.stderr)
    return CLEAN


class _Preflight:
    """Examines each training of the script when it starts."""

    def __init__(self, target: Target, arguments: argparse.Namespace, options: Options) -> None:
        self._target = target
        self._arguments = arguments
        self._options = options
        self.trainings = 0
        self.session = Session(self._examine, undisturbed=True)

    def _examine(self, parts: Mapping[str, Any]) -> Proceed:
        """Examine a training, and let it go on; end the process if it is not ready."""
        from pipedoctor.live import examine_parts

        self.trainings += 1
        ran = {"trainings": self.trainings, "ended": "reached its training"}
        given = self._target.parts.also(**parts, run=ran)
        report = examine_parts(self._target.name, given, self._options)
        if os.environ.get("RANK", "0") == "0":  # one report for all processes of a training
            self._tell(report)
        failed = reports.status(self._arguments, self._options, report) != CLEAN
        if failed and not self._arguments.force:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(FOUND)  # an exception would run what the script does when it was trained
        if self._arguments.record:
            self._record(parts)
        return Proceed.UNDISTURBED

    def _record(self, parts: Mapping[str, Any]) -> None:
        """Put a flight recorder aboard, unless the script has one."""
        trainer = parts.get("trainer")
        if trainer is None and "loop" in parts:
            print("pipedoctor: --record: a loop is recorded by `recording`", file=sys.stderr)
            return
        if trainer is None:
            self.session.recording = True  # what starts the fit adds a callback to it
            return
        from pipedoctor.recorder.flight import FlightRecorder

        if not any(isinstance(c, FlightRecorder) for c in trainer.callback_handler.callbacks):
            trainer.add_callback(FlightRecorder())

    def _tell(self, report: Report) -> None:
        sys.stdout.flush()  # what the script has printed so far came first
        reports.publish(report, self._arguments, sys.stderr)
        for problem in self.session.problems:
            print(f"pipedoctor: {problem}", file=sys.stderr)


def _status(raised: BaseException) -> int:
    """Return the exit status that Python gives a script which ended so, and print what it prints."""
    recorder = sys.modules.get("pipedoctor.recorder.recorder")
    if recorder is not None and isinstance(raised, recorder.Poisoned):
        print(f"pipedoctor: {raised}", file=sys.stderr)
        return FOUND
    if isinstance(raised, SystemExit):
        if raised.code is None or isinstance(raised.code, int):
            return raised.code or CLEAN
        print(raised.code, file=sys.stderr)
        return FOUND
    trace = raised.__traceback__
    while trace is not None and _is_ours(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    traceback.print_exception(type(raised), raised, trace)
    return INTERRUPTED if isinstance(raised, KeyboardInterrupt) else FOUND


def _is_ours(path: str) -> bool:
    own = os.path.dirname(os.path.dirname(__file__))
    return path.startswith((own + os.sep, "<frozen runpy>"))

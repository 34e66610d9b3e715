"""Running a script as `python train.py …` would, and saying how it ended."""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

from pipedoctor import plugins
from pipedoctor.capture.hook import watching
from pipedoctor.capture.session import Session
from pipedoctor.pipeline import text_of


@dataclass(frozen=True)
class Ended:
    """How a script ended: in words, and with what exception, if it raised one."""

    text: str
    raised: BaseException | None = None

    @property
    def error(self) -> Exception | None:
        """What it raised, as an error to tell; to leave by `sys.exit` is none."""
        if self.raised is None or isinstance(self.raised, SystemExit):
            return None
        if isinstance(self.raised, Exception):
            return self.raised
        # A KeyboardInterrupt of the script's own, say.
        text = text_of(self.raised)
        told = RuntimeError(f"{type(self.raised).__name__}: {text}".rstrip(": "))
        return told.with_traceback(self.raised.__traceback__)


def run(path: str, arguments: Sequence[str], session: Session) -> Ended:
    """Run a script with its arguments, as the main module and from its own folder's modules."""
    sys.argv = [path, *arguments]
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    with watching(watched(session)):
        try:
            runpy.run_path(path, run_name="__main__")
        except SystemExit as leave:
            return Ended(f"ended itself with {_shown(leave.code)}", leave)
        except BaseException as error:  # noqa: BLE001 - whatever the user's code raises is told
            return Ended(f"raised {type(error).__name__}", error)
    return Ended("ran to its end")


def _shown(code: object) -> str:
    """Return an exit status as it was written, unless it is an object that can't be shown."""
    return repr(code) if code is None or isinstance(code, (int, str)) else type(code).__name__


def watched(session: Session) -> dict[str, Callable[[ModuleType], None]]:
    """Return what the adapters want to see, by the names of modules."""
    wanted: dict[str, Callable[[ModuleType], None]] = {}
    for name, plugin in plugins.frameworks().items():
        try:
            watched: Mapping[str, Any] = getattr(plugin.load(), "watched", {})
        except Exception as error:  # noqa: BLE001 - one broken plugin must not hide the others
            session.problems.append(f"adapter {name}: {type(error).__name__}: {error}")
            continue
        wanted |= {module: partial(seen, session) for module, seen in watched.items()}
    return wanted

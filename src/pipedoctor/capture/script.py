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
from pipedoctor.capture.session import Session, Stop


@dataclass(frozen=True)
class Ended:
    """How a script ended: in words, and with what error, if it raised one."""

    text: str
    error: BaseException | None = None


def run(path: str, arguments: Sequence[str], session: Session) -> Ended:
    """Run a script with its arguments, as the main module and from its own folder's modules."""
    sys.argv = [path, *arguments]
    sys.path[0] = os.path.dirname(os.path.abspath(path))
    with watching(_watched(session)):
        try:
            runpy.run_path(path, run_name="__main__")
        except Stop:
            return Ended("was stopped where its training starts")
        except SystemExit as leave:
            return Ended(f"ended itself with {leave.code!r}")
        except BaseException as error:  # noqa: BLE001 - whatever the user's code raises is told
            return Ended(f"raised {type(error).__name__}", error)
    return Ended("ran to its end")


def _watched(session: Session) -> dict[str, Callable[[ModuleType], None]]:
    """Return what the adapters want to see, by the names of modules."""
    wanted: dict[str, Callable[[ModuleType], None]] = {}
    for plugin in plugins.frameworks().values():
        watched: Mapping[str, Any] = getattr(plugin.load(), "watched", {})
        wanted |= {module: partial(seen, session) for module, seen in watched.items()}
    return wanted

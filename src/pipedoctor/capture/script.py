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


@dataclass(frozen=True)
class Ended:
    """How a script ended without a training: in words, and with what error, if it raised one."""

    text: str
    error: Exception | None = None


def run(path: str, arguments: Sequence[str], session: Session) -> Ended:
    """Run a script with its arguments, as the main module and from its own folder's modules."""
    sys.argv = [path, *arguments]
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    with watching(_watched(session)):
        try:
            runpy.run_path(path, run_name="__main__")
        except SystemExit as leave:
            return Ended(f"ended itself with {leave.code!r}")
        except Exception as error:  # noqa: BLE001 - whatever the user's code raises is told
            return Ended(f"raised {type(error).__name__}", error)
        except BaseException as error:  # noqa: BLE001 - a KeyboardInterrupt of the script's own, say
            told = RuntimeError(f"{type(error).__name__}: {error}".rstrip(": "))
            return Ended(
                f"raised {type(error).__name__}", told.with_traceback(error.__traceback__)
            )
    return Ended("ran to its end")


def _watched(session: Session) -> dict[str, Callable[[ModuleType], None]]:
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

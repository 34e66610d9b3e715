"""Calling a factory, `module:callable`, for a Trainer or a mapping of parts."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

from pipedoctor import frameworks
from pipedoctor.capture.hook import watching
from pipedoctor.capture.script import watched
from pipedoctor.capture.session import Session
from pipedoctor.parts import Parts


class NotThere(AttributeError):  # noqa: N818 - it is told to people by its name
    """A module has no such function."""

    def __init__(self, module: ModuleType, name: str) -> None:
        """Name those that it has, the nearest first."""
        from difflib import get_close_matches

        own = [
            other
            for other, held in vars(module).items()
            if callable(held) and getattr(held, "__module__", None) == module.__name__
        ]
        near = get_close_matches(name, own, n=3)
        file = os.path.basename(getattr(module, "__file__", None) or module.__name__)
        super().__init__(f"{file} has no function {name}")
        told = ", ".join(near or own[:8])
        self.remedy = f"name one that is there: {told}" if told else f"write {name}() in {file}"


def parts(name: str, session: Session) -> Mapping[str, Any]:
    """
    Return the parts that a factory makes; modules of the working directory can be imported.

    Raises:
        TypeError: What it returns is neither a trainer that is known nor a mapping of parts.
        Exception: Whatever importing or calling it raises.

    """
    with watching(watched(session)):
        returned = made(name)
    if isinstance(returned, Mapping):
        found = frameworks.given(returned)
        Parts(found)  # raises where a name is not in the table
        return session.sites.located(found)
    try:
        return session.sites.located(frameworks.returned(returned))
    except TypeError:
        raise TypeError(
            f"{name}() returned {type(returned).__name__}, neither a Trainer nor a mapping of parts"
        ) from None


def made(name: str) -> Any:
    """Return what a callable returns; its module is imported, and no cache is left beside it."""
    module, _, attribute = name.partition(":")
    sys.path.insert(0, os.getcwd())
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        held = import_module(module)
        if not hasattr(held, attribute):
            raise NotThere(held, attribute)
        return getattr(held, attribute)()
    finally:
        sys.dont_write_bytecode = before

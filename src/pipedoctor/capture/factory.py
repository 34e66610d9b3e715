"""Calling a factory, `module:callable`, for a Trainer or a mapping of parts."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from pipedoctor import frameworks
from pipedoctor.capture.hook import watching
from pipedoctor.capture.script import watched
from pipedoctor.capture.session import Session
from pipedoctor.parts import Parts


def parts(name: str, session: Session) -> Mapping[str, Any]:
    """
    Return the parts that a factory makes; modules of the working directory can be imported.

    Raises:
        TypeError: What it returns is neither a trainer that is known nor a mapping of parts.
        Exception: Whatever importing or calling it raises.

    """
    module, _, attribute = name.partition(":")
    sys.path.insert(0, os.getcwd())
    with watching(watched(session)):
        made = getattr(import_module(module), attribute)()
    if isinstance(made, Mapping):
        Parts(made)  # raises where a name is not in the table
        return session.sites.located(made)
    try:
        return session.sites.located(frameworks.unpack(made))
    except TypeError:
        raise TypeError(
            f"{name}() returned {type(made).__name__}, neither a Trainer nor a mapping of parts"
        ) from None

"""
Targets: what the user names on the command line, turned into parts.

Only this package and the command line see the user's files by name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pipedoctor.parts import Parts

FACTORY = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
"""`module:callable`: what it returns, a Trainer or a mapping of parts, is examined."""

CONFIGS = (".json", ".yaml", ".yml", ".toml")


class TargetError(Exception):
    """The target can't be read at all: one clear sentence with the place and the cure."""


@dataclass(frozen=True, repr=False, eq=False)
class Target:
    """
    What the user named, ready to be examined.

    `subject` are words for the first line of the report, such as "run_glue arguments";
    `problems` what was odd about the target but keeps nobody from examining it. A script (with
    its `arguments`) and a factory are code of the user's: they have no parts before they run. A
    checkpoint is what a training left, or the folder of its run. A
    model is a folder of transformers or a callable, and nothing is known of its training; of a
    blueprint, only the config of the model is read. A machine is where this runs: it has no parts.
    """

    name: str
    parts: Parts
    subject: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    kind: Literal["config", "script", "factory", "checkpoint", "model", "blueprint", "machine"] = (
        "config"
    )
    arguments: tuple[str, ...] = ()
    not_loaded: str = ""
    """Why data and model of it are not loaded, where they never are."""
    dialect: str | None = None
    """The dialect that it was asked to be read in."""


def resolve(
    name: str | None,
    arguments: Sequence[str] = (),
    dialect: str | None = None,
    beside: Sequence[str] = (),
) -> Target:
    """
    Return the target that a user's words stand for; without a name, the arguments are a command.

    `dialect` says how a config is to be read, `beside` which other configs its run is started
    with: that of accelerate, or of DeepSpeed.

    Raises:
        TargetError: It is nothing that can be examined.

    """
    if name is None:
        from pipedoctor.targets import command

        return command.read(arguments, dialect, beside)
    if name.endswith(".py"):
        from pipedoctor.targets import script

        return script.read(name, arguments)
    if arguments:
        raise TargetError(f"{name} takes no arguments; those after -- are for a script")
    if os.path.isdir(name) or not name.endswith(CONFIGS) or name.endswith(".index.json"):
        from pipedoctor.targets import checkpoint

        if checkpoint.recognise(name):
            return checkpoint.read(name)
    if FACTORY.fullmatch(name) and not os.path.exists(name):
        return Target(name, Parts({}), ("factory",), kind="factory")
    from pipedoctor.targets import config

    return config.read(name, dialect, beside)

"""
Targets: what the user names on the command line, turned into parts.

Only this package and the command line see the user's files by name.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipedoctor.parts import Parts


class TargetError(Exception):
    """The target can't be read at all: one clear sentence with the place and the cure."""


@dataclass(frozen=True)
class Target:
    """
    What the user named, ready to be examined.

    `subject` are words for the first line of the report, such as "run_glue arguments";
    `problems` what was odd about the target but keeps nobody from examining it.
    """

    name: str
    parts: Parts
    subject: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def resolve(name: str) -> Target:
    """
    Return the target that a user's word stands for.

    Raises:
        TargetError: It is nothing that can be examined.

    """
    from pipedoctor.targets import config

    return config.read(name)

"""The words of `pipedoctor env`."""

from __future__ import annotations

import argparse

from pipedoctor.cli.verbs.sharing import about_report

DESCRIPTION = (
    "Tell what is wrong with what surrounds a training: versions that don't go together, packages "
    "that can't be imported, GPUs that torch can't use, the limits of a container, room on the "
    "disks, variables that nothing reads any more. Nothing is changed."
)

USAGE = "pipedoctor env [OPTIONS]"


def declare(verb: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    verb.add_argument(
        "--quick",
        action="store_true",
        help="start no other process: no import is tried, and torch is not asked about GPUs",
    )
    verb.add_argument("--exit-zero", action="store_true", help="exit with 0 whatever is found")
    about_report(verb)
    verb.set_defaults(time=None, depth="files", targets=[])


def run(arguments: argparse.Namespace) -> int:
    """Run the command, whose module is imported now."""
    from pipedoctor.cli import env

    return env.run(arguments)

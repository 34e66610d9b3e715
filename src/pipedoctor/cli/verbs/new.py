"""The words of `pipedoctor new`."""

from __future__ import annotations

import argparse

DESCRIPTION = "Write the skeleton of a check: one file, with its page and its examples."


def declare(verb: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    verb.add_argument("code", metavar="CODE", help="three capitals and three digits: HYP101")
    verb.add_argument("name", metavar="NAME", help="the fault in words: warmup-outlasts-training")
    verb.add_argument(
        "--folder",
        metavar="FOLDER",
        help="where to write it (default: the chapter's folder below checks/pipedoctor_checks, else "
        "the working directory)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the command, whose module is imported now."""
    from pipedoctor.cli import new

    return new.write(arguments)

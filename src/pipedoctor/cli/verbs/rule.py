"""The words of `pipedoctor rule`."""

from __future__ import annotations

import argparse

DESCRIPTION = "Print the page of a check."


def declare(verb: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    verb.add_argument("code", metavar="CODE", help="such as LAB001")


def run(arguments: argparse.Namespace) -> int:
    """Run the command, whose module is imported now."""
    from pipedoctor.cli import rules

    return rules.show(arguments)

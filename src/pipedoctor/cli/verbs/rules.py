"""The words of `pipedoctor rules`."""

from __future__ import annotations

import argparse

DESCRIPTION = "List the checks."


def declare(verb: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    verb.add_argument("--output-format", choices=("text", "json"), default="text")


def run(arguments: argparse.Namespace) -> int:
    """Run the command, whose module is imported now."""
    from pipedoctor.cli import rules

    return rules.list_all(arguments)

"""The words of `pipedoctor plan`."""

from __future__ import annotations

import argparse

from pipedoctor.cli.verbs.sharing import DEPTHS, about_target, about_the_run

DESCRIPTION = (
    "Show the run before it is started: epochs, evaluations, checkpoints and log "
    "lines on one line of time, the learning rate at every step, and what stands on the disk "
    "meanwhile. Nothing is loaded; what the checks find of it stands underneath."
)

USAGE = "pipedoctor plan [OPTIONS] TARGET [-- ARGUMENTS OF THE SCRIPT]"


def declare(verb: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    about_target(verb)
    verb.add_argument(
        "--depth",
        choices=DEPTHS[: DEPTHS.index("model") + 1],
        help="learn so much for it (default: files; a factory is called, which is model)",
    )
    about_the_run(verb)


def run(arguments: argparse.Namespace) -> int:
    """Run the command, whose module is imported now."""
    from pipedoctor.cli import plan

    return plan.run(arguments)

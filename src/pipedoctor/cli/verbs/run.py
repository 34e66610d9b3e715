"""The words of `pipedoctor run`."""

from __future__ import annotations

import argparse

from pipedoctor.cli.verbs.sharing import DEPTHS, about_report

DESCRIPTION = (
    "Run a training script as Python would. When its Trainer starts to train, the "
    "pipeline is examined; if it is ready, the same process trains on, undisturbed. Otherwise "
    "the report says why, and the process ends before anything is trained. The report goes to "
    "standard error. Exit status: that of the script, or 1 if its pipeline is not ready."
)

USAGE = "pipedoctor run [OPTIONS] SCRIPT [-- ARGUMENTS OF THE SCRIPT]"


def declare(verb: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    verb.add_argument("target", metavar="SCRIPT", help="a training script (.py)")
    verb.add_argument("--force", action="store_true", help="train whatever is found")
    verb.add_argument(
        "--record",
        action="store_true",
        help="watch each step, and stop before an update that would spoil the weights: what is "
        "needed to run it again goes to a capsule in output_dir",
    )
    verb.add_argument(
        "--depth",
        choices=DEPTHS[: DEPTHS.index("backward") + 1],
        default="backward",
        help="examine so deep (default: one backward pass, undone)",
    )
    about_report(verb)
    verb.set_defaults(time=None, exit_zero=False)


def run(arguments: argparse.Namespace) -> int:
    """Run the command, whose module is imported now."""
    from pipedoctor.cli import run

    return run.run(arguments)

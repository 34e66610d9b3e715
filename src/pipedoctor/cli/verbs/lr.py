"""The words of `pipedoctor lr`."""

from __future__ import annotations

import argparse

from pipedoctor.cli import values
from pipedoctor.cli.verbs.sharing import about_target

DESCRIPTION = (
    "Find out which learning rates the pipeline learns at: first what is usual for such a model and "
    "who says so, then a training of 40 steps in which the rate rises from step to step, and up to "
    "five short trials at single rates, on real batches, with your own loss, optimizer and "
    "precision. It tells where the loss diverges, which rates work, which to try first and how sure "
    "that is, and whether yours is proved to be too high or too low. Everything is put back bit for "
    "bit. Exit status: 0 if some rates work and yours is not disproved, 1 if not, 4 if that could "
    "not be settled."
)

USAGE = "pipedoctor lr [OPTIONS] TARGET [-- ARGUMENTS OF THE SCRIPT]"


def declare(verb: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    about_target(verb)
    verb.add_argument(
        "--steps",
        type=values.number_of_rows,
        metavar="N",
        help="make so many steps (default: 100, 40 of them with a rising rate); more of them find "
        "the rates more exactly",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the command, whose module is imported now."""
    from pipedoctor.cli import lr

    return lr.run(arguments)

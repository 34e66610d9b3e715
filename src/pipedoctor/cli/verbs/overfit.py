"""The words of `pipedoctor overfit`."""

from __future__ import annotations

import argparse

from pipedoctor.cli import values
from pipedoctor.cli.verbs.sharing import about_target

DESCRIPTION = (
    "Find out whether the pipeline can learn one real batch that holds every label: with your own "
    "loss, collator, precision, optimizer and rate, then with rates that ought to work. If it "
    "can't, the reason is named. Everything is put back bit for bit. Exit status: 0 if it learns, "
    "1 if not, 4 if that could "
    "not be settled."
)

USAGE = "pipedoctor overfit [OPTIONS] TARGET [-- ARGUMENTS OF THE SCRIPT]"


def declare(verb: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    about_target(verb)
    verb.add_argument(
        "--steps",
        type=values.number_of_rows,
        metavar="N",
        help="make at most so many updates in all attempts together (default: 50); it stops as "
        "soon as the verdict is sure",
    )
    verb.add_argument(
        "--learnability",
        action="store_true",
        help="then train on one half of some hundred rows and ask for the other: do the labels go "
        "with the inputs, more than with labels in any other order, and more than a bag of words "
        "can tell",
    )
    verb.add_argument(
        "--rows",
        dest="learned_rows",
        type=values.number_of_rows,
        metavar="N",
        help="with --learnability: so many rows (default: 400)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the command, whose module is imported now."""
    from pipedoctor.cli import overfit

    return overfit.run(arguments)

"""The words of `pipedoctor batch`."""

from __future__ import annotations

import argparse

from pipedoctor.cli import values
from pipedoctor.cli.verbs.sharing import about_target

DESCRIPTION = (
    "Show what really enters the model: the first rows and the longest rows, "
    "decoded, with their labels, padding and masks, and how the labels are distributed. What "
    "the checks of data and labels find stands underneath."
)

USAGE = "pipedoctor batch [OPTIONS] TARGET [-- ARGUMENTS OF THE SCRIPT]"


def declare(verb: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    about_target(verb)
    verb.add_argument(
        "--predict",
        action="store_true",
        help="show what the model answers as it stands, and whether it always answers the same",
    )
    verb.add_argument(
        "--split", choices=("train", "eval"), help="show this part of the data (default: both)"
    )
    verb.add_argument(
        "--rows",
        type=values.row_numbers,
        metavar="NUMBERS",
        default=(),
        help="show these rows, counted from 0, in one batch: 3,17 (default: the first batch and "
        "the longest rows)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the command, whose module is imported now."""
    from pipedoctor.cli import batch

    return batch.run(arguments)

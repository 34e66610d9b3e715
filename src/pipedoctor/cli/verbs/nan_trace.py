"""The words of `pipedoctor nan-trace`."""

from __future__ import annotations

import argparse

from pipedoctor.cli import values
from pipedoctor.cli.verbs.sharing import about_target

DESCRIPTION = (
    "Find out where NaN comes from: the operation, the line, the layer and the rows of the data. "
    "Batches are run forwards and backwards until one is not finite; that one is replayed, and "
    "each of its operations is looked at. Exit status: 0 if everything is finite, 1 if not, "
    "4 if that could not be told."
)

USAGE = (
    "pipedoctor nan-trace [OPTIONS] TARGET [-- ARGUMENTS OF THE SCRIPT]\n"
    "       pipedoctor nan-trace [OPTIONS] --model FOLDER|MODULE:CALLABLE"
)


def declare(verb: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    about_target(verb, required=False)
    verb.add_argument(
        "--model",
        metavar="FOLDER|MODULE:CALLABLE",
        help="a model instead of a target: a folder of transformers, or what makes a module",
    )
    verb.add_argument(
        "--data",
        metavar="FILE",
        help="rows to run it on (.jsonl, .json, .csv, .tsv, .safetensors, .npz), instead of the "
        "target's own; without any, inputs are made up for a model",
    )
    how_far = verb.add_mutually_exclusive_group()
    how_far.add_argument(
        "--batches",
        type=values.number_of_rows,
        metavar="N",
        help="look at so many batches, in the order of the data (default: the first)",
    )
    how_far.add_argument("--all", action="store_true", help="look at all batches")
    how_far.add_argument(
        "--steps",
        type=values.number_of_rows,
        metavar="N",
        help="train for so many steps, in a process of its own that is thrown away",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the command, whose module is imported now."""
    from pipedoctor.cli import nan_trace

    return nan_trace.run(arguments)

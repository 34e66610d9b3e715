"""The words of `pipedoctor memory`."""

from __future__ import annotations

import argparse

from pipedoctor.cli import values
from pipedoctor.cli.verbs.sharing import about_memory, about_target

DESCRIPTION = (
    "Tell what a training takes in memory, before a GPU is rented: a step is gone through with "
    "tensors that have no values, so nothing is allocated and no GPU is needed. Shows the peak and "
    "what makes it, the largest batch that fits, and what each remedy would bring. "
    "Exit status: 0 if it fits or no room is stated, 1 if it does not fit, 4 if that could not be told."
)

USAGE = (
    "pipedoctor memory [OPTIONS] TARGET [-- ARGUMENTS OF THE SCRIPT]\n"
    "       pipedoctor memory [OPTIONS] FOLDER    (of a model: its config.json is enough)"
)


def declare(verb: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    about_target(verb)
    about_memory(verb)
    verb.add_argument(
        "--gpus",
        type=values.number_of_gpus,
        metavar="N",
        help="tell what N GPUs bring that share (default: 8)",
    )
    verb.add_argument(
        "--batch-size",
        type=values.number_of_rows,
        metavar="ROWS",
        help="plan for so many rows on a device, whatever the target states (default of Trainer: 8)",
    )
    verb.add_argument(
        "--length",
        type=values.number_of_tokens,
        metavar="TOKENS",
        help="plan for rows of so many tokens, whatever the data has",
    )
    verb.add_argument(
        "--set",
        dest="arguments_set",
        type=values.setting,
        action="append",
        metavar="NAME=VALUE",
        help="a training argument beside a model's folder: --set bf16=true --set optim=adafactor",
    )
    verb.add_argument(
        "--live",
        action="store_true",
        help="also run three steps of a copy of the model on the device that is here, and, on a "
        "GPU, search the largest batch by trying",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the command, whose module is imported now."""
    from pipedoctor.cli import memory

    return memory.run(arguments)

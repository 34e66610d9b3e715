"""The words of `pipedoctor check`."""

from __future__ import annotations

import argparse

from pipedoctor.cli import values
from pipedoctor.cli.verbs.sharing import DEPTHS, about_memory, about_target, about_the_run

DIALECTS = ("huggingface", "trl", "llamafactory", "axolotl")
"""Those of `pipedoctor.targets.dialects`, which is not imported for a parser's sake."""

DESCRIPTION = (
    "Examine a training config: the arguments, then the files that it names, then "
    "data and model, loaded in a process of their own. A script is run as it is, in such a "
    "process, up to where its Trainer starts to train."
)

USAGE = (
    "pipedoctor check [OPTIONS] TARGET... [-- ARGUMENTS OF THE SCRIPT]\n"
    "       pipedoctor check [OPTIONS] -- COMMAND THAT STARTS THE TRAINING"
)


def declare(verb: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    about_target(verb, several=True)
    verb.add_argument(
        "--dialect",
        choices=DIALECTS,
        help="whose config it is (default: told by its keys)",
    )
    verb.add_argument(
        "--with",
        dest="beside",
        action="append",
        metavar="FILE",
        default=[],
        help="the config of accelerate or DeepSpeed that the run is started with; may be repeated",
    )
    verb.add_argument(
        "--depth",
        choices=DEPTHS,
        default="backward",
        help="stop after this much (default: backward; training also learns one batch by heart, "
        "and some hundred rows, as overfit --learnability does)",
    )
    verb.add_argument(
        "--target",
        dest="versions",
        action="append",
        type=values.version,
        metavar="PACKAGE=VERSION",
        default=[],
        help="judge as with this version installed: transformers=4.57 (static and file checks only)",
    )
    about_memory(verb)
    verb.add_argument(
        "--write-baseline",
        action="store_true",
        help="take what is found for known: write it to the baseline "
        "(default: pipedoctor-baseline.json)",
    )
    verb.add_argument(
        "--fix",
        action="store_true",
        help="make the safe fixes in the config or script, then examine what came of it",
    )
    verb.add_argument(
        "--unsafe-fixes",
        action="store_true",
        help="with --fix or --diff: also those that change what is trained, evaluated or saved",
    )
    verb.add_argument(
        "--verbose",
        action="store_true",
        help="list each check that was skipped under its reason, after the report (JSON has them)",
    )
    verb.add_argument(
        "--diff", action="store_true", help="show what --fix would change, and change nothing"
    )
    about_the_run(verb)


def run(arguments: argparse.Namespace) -> int:
    """Run the command, whose module is imported now."""
    from pipedoctor.cli import check

    return check.run(arguments)

"""The words of `pipedoctor replay`."""

from __future__ import annotations

import argparse

from pipedoctor.cli.verbs.sharing import about_target

DESCRIPTION = (
    "Run the step of a capsule again, which a flight recorder wrote when it stopped a training: the "
    "same batch, weights and random states, so bit for bit the same step. Each operation is looked "
    "at, and the one is named in which NaN is born. With --with-fix the step is run with changed "
    "code. MODULE:CALLABLE is a function of yours without arguments that builds and returns the "
    "model; where the model does not compute its loss, it returns (model, loss) or "
    '{"model": model, "loss": loss}, and loss is called with what the model answers, and with its '
    "labels if the model got them. Exit status: 0 if everything is finite now, 1 if not."
)

USAGE = (
    "pipedoctor replay [OPTIONS] CAPSULE [TARGET] [-- ARGUMENTS OF THE SCRIPT]\n"
    "       pipedoctor replay [OPTIONS] CAPSULE --with-fix MODULE:CALLABLE"
)


def declare(verb: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    verb.add_argument("capsule", metavar="CAPSULE", help="the folder that the recorder wrote")
    about_target(verb, required=False)
    verb.add_argument(
        "--with-fix",
        metavar="MODULE:CALLABLE",
        help="what makes the mended model (a module, a Trainer or a mapping of parts): the step is "
        "run with it, and the report says whether it is cured",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the command, whose module is imported now."""
    from pipedoctor.cli import replay

    return replay.run(arguments)

"""The words of `pipedoctor checkpoint`."""

from __future__ import annotations

import argparse

from pipedoctor.cli.verbs.sharing import about_report

DESCRIPTION = (
    "Show what a file of weights, the folder of a model, an adapter or a checkpoint, or the folder "
    "of a whole run holds, what loading it would run, and which call loads it here. Nothing is "
    "unpickled, executed or loaded."
)

USAGE = "pipedoctor checkpoint [OPTIONS] PATH"


def declare(verb: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    verb.add_argument(
        "target", metavar="PATH", help="a file or folder, or a model in the cache of the hub"
    )
    verb.add_argument("--exit-zero", action="store_true", help="exit with 0 whatever is found")
    verb.add_argument(
        "--tensors", action="store_true", help="list every tensor with its type, shape and file"
    )
    verb.add_argument(
        "--scan",
        action="store_true",
        help="read every element, and look for NaN, infinity and tensors of zeros (weights below "
        "64 MB are always read)",
    )
    verb.add_argument(
        "--resume-with",
        dest="resume_with",
        metavar="FILE",
        help="tell whether the training of this config or script would go on from it: what is "
        "taken, what is dropped, ignored or refused",
    )
    verb.add_argument(
        "--convert",
        metavar="OUT.safetensors",
        help="write the weights of a pickle that loads without trust as a safetensors file",
    )
    verb.add_argument(
        "--overwrite", action="store_true", help="with --convert: replace a file that is there"
    )
    about_report(verb)
    verb.set_defaults(time=None)


def run(arguments: argparse.Namespace) -> int:
    """Run the command, whose module is imported now."""
    from pipedoctor.cli import checkpoint

    return checkpoint.run(arguments)

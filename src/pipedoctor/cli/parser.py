"""The words of the command line."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from typing import Any

from pipedoctor import __version__
from pipedoctor.cli.terminal import width
from pipedoctor.cli.verbs import VERBS


class _Parser(argparse.ArgumentParser):
    """A parser that is told the width of the page; to find it, argparse would import shutil."""

    def __init__(self, *words: Any, **keywords: Any) -> None:
        columns = width(sys.stdout)

        def page(prog: str) -> argparse.HelpFormatter:
            return argparse.HelpFormatter(prog, width=columns)

        super().__init__(*words, **{"formatter_class": page, **keywords})


def parse(argv: list[str] | None) -> argparse.Namespace:
    """
    Return the parsed words; `command` is the function to call with them.

    What follows `--` is not ours: it is kept in `arguments`, for the script that it is meant for.
    """
    words = sys.argv[1:] if argv is None else argv
    end = words.index("--") if "--" in words else len(words)
    ours = words[:end]
    asked = ours[:1] if ours[:1] and ours[0] in VERBS else list(VERBS)
    return _parser(asked).parse_args(ours, argparse.Namespace(arguments=words[end + 1 :]))


def _parser(asked: list[str]) -> argparse.ArgumentParser:
    """Return a parser of the verbs that may be meant: all, or the one that the words begin with."""
    parser = _Parser(
        "pipedoctor",
        description="Examine a training pipeline, and name the one cause first.",
        epilog="Exit status: 0 clean, 1 something was found, 2 wrong usage or an unreadable "
        "target, 3 a fault of pipedoctor's own, 4 not settled (nothing was found, but the time ran "
        "out, or what was tried proves nothing), 130 interrupted.",
    )
    parser.add_argument("--version", action="version", version=f"pipedoctor {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name in asked:
        words = import_module(f"pipedoctor.cli.verbs.{name.replace('-', '_')}")
        usage = getattr(words, "USAGE", None)
        verb = commands.add_parser(
            name, help=VERBS[name], description=words.DESCRIPTION, usage=usage
        )
        words.declare(verb)
        verb.set_defaults(command=words.run)
    return parser

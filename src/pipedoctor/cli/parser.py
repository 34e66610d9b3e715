"""The words of the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from pipedoctor import __version__
from pipedoctor.cli import values
from pipedoctor.cli.terminal import width

DIALECTS = ("huggingface", "trl", "llamafactory", "axolotl")
"""Those of `pipedoctor.targets.dialects`, which is not imported for a parser's sake."""

FORMATS = ("text", "json", "concise", "github", "sarif", "junit")

SEVERAL = "of several, each is examined, and the worst decides on the exit status"

DEPTHS = ("static", "files", "data", "model", "forward", "backward", "training")


class _Parser(argparse.ArgumentParser):
    """A parser that is told the width of the page; to find it, argparse would import shutil."""

    def __init__(self, *words: Any, **keywords: Any) -> None:
        def page(prog: str) -> argparse.HelpFormatter:
            return argparse.HelpFormatter(prog, width=width(sys.stdout))

        super().__init__(*words, **{"formatter_class": page, **keywords})


def parse(argv: list[str] | None) -> argparse.Namespace:
    """
    Return the parsed words; `command` is the function to call with them.

    What follows `--` is not ours: it is kept in `arguments`, for the script that it is meant for.
    """
    words = sys.argv[1:] if argv is None else argv
    end = words.index("--") if "--" in words else len(words)
    return _parser().parse_args(words[:end], argparse.Namespace(arguments=words[end + 1 :]))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        "pipedoctor",
        description="Examine a training pipeline, and name the one cause first.",
        epilog="Exit status: 0 clean, 1 something was found, 2 wrong usage or an unreadable "
        "target, 3 a fault of pipedoctor's own, 130 interrupted.",
    )
    parser.add_argument("--version", action="version", version=f"pipedoctor {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _check(commands)
    _run(commands)
    _batch(commands)
    _plan(commands)
    _checkpoint(commands)
    _rules(commands)
    return parser


def _check(commands: argparse._SubParsersAction[_Parser]) -> None:
    check = commands.add_parser(
        "check",
        help="examine a training config or script",
        description="Examine a training config: the arguments, then the files that it names, then "
        "data and model, loaded in a process of their own. A script is run as it is, in such a "
        "process, up to where its Trainer starts to train.",
        usage="pipedoctor check [OPTIONS] TARGET... [-- ARGUMENTS OF THE SCRIPT]\n"
        "       pipedoctor check [OPTIONS] -- COMMAND THAT STARTS THE TRAINING",
    )
    _about_target(check, several=True)
    check.add_argument(
        "--dialect",
        choices=DIALECTS,
        help="whose config it is (default: told by its keys)",
    )
    check.add_argument(
        "--with",
        dest="beside",
        action="append",
        metavar="FILE",
        default=[],
        help="the config of accelerate or DeepSpeed that the run is started with; may be repeated",
    )
    check.add_argument(
        "--depth",
        choices=DEPTHS,
        default="training",
        help="stop after this much (default: as deep as can be)",
    )
    check.add_argument(
        "--target",
        dest="versions",
        action="append",
        type=values.version,
        metavar="PACKAGE=VERSION",
        default=[],
        help="judge as with this version installed: transformers=4.57 (static and file checks only)",
    )
    check.add_argument(
        "--write-baseline",
        action="store_true",
        help="take what is found for known: write it to the baseline "
        "(default: pipedoctor-baseline.json)",
    )
    check.add_argument(
        "--fix",
        action="store_true",
        help="make the safe fixes in the config or script, then examine what came of it",
    )
    check.add_argument(
        "--unsafe-fixes",
        action="store_true",
        help="with --fix or --diff: also those that change what is trained, evaluated or saved",
    )
    check.add_argument(
        "--diff", action="store_true", help="show what --fix would change, and change nothing"
    )
    _about_the_run(check)
    check.set_defaults(command=_lazy("check", "run"))


def _run(commands: argparse._SubParsersAction[_Parser]) -> None:
    run = commands.add_parser(
        "run",
        help="run a training script if its pipeline is ready",
        description="Run a training script as Python would. When its Trainer starts to train, the "
        "pipeline is examined; if it is ready, the same process trains on, undisturbed. Otherwise "
        "the report says why, and the process ends before anything is trained. The report goes to "
        "standard error. Exit status: that of the script, or 1 if its pipeline is not ready.",
        usage="pipedoctor run [OPTIONS] SCRIPT [-- ARGUMENTS OF THE SCRIPT]",
    )
    run.add_argument("target", metavar="SCRIPT", help="a training script (.py)")
    run.add_argument("--force", action="store_true", help="train whatever is found")
    run.add_argument(
        "--depth",
        choices=DEPTHS[: DEPTHS.index("backward") + 1],
        default="backward",
        help="examine so deep (default: one backward pass, undone)",
    )
    _about_report(run)
    run.set_defaults(command=_lazy("run", "run"), time=None, exit_zero=False)


def _batch(commands: argparse._SubParsersAction[_Parser]) -> None:
    batch = commands.add_parser(
        "batch",
        help="show what really enters the model",
        description="Show what really enters the model: the first batch and the longest rows, "
        "decoded, with their labels, padding and masks, and how the labels are distributed. What "
        "the checks of data and labels find stands underneath.",
        usage="pipedoctor batch [OPTIONS] TARGET [-- ARGUMENTS OF THE SCRIPT]",
    )
    _about_target(batch)
    batch.add_argument(
        "--predict",
        action="store_true",
        help="show what the model answers as it stands, and whether it always answers the same",
    )
    batch.add_argument(
        "--split", choices=("train", "eval"), help="show this part of the data (default: both)"
    )
    batch.add_argument(
        "--rows",
        type=values.row_numbers,
        metavar="NUMBERS",
        default=(),
        help="show these rows, counted from 0, in one batch: 3,17 (default: the first batch and "
        "the longest rows)",
    )
    batch.set_defaults(command=_lazy("batch", "run"))


def _plan(commands: argparse._SubParsersAction[_Parser]) -> None:
    plan = commands.add_parser(
        "plan",
        help="show when everything of a run will happen",
        description="Show the run before it is started: epochs, evaluations, checkpoints and log "
        "lines on one line of time, the learning rate at every step, and what stands on the disk "
        "meanwhile. Nothing is loaded; what the checks find of it stands underneath.",
        usage="pipedoctor plan [OPTIONS] TARGET [-- ARGUMENTS OF THE SCRIPT]",
    )
    _about_target(plan)
    plan.add_argument(
        "--depth",
        choices=DEPTHS[: DEPTHS.index("model") + 1],
        help="learn so much for it (default: files; a factory is called, which is model)",
    )
    _about_the_run(plan)
    plan.set_defaults(command=_lazy("plan", "run"))


def _checkpoint(commands: argparse._SubParsersAction[_Parser]) -> None:
    checkpoint = commands.add_parser(
        "checkpoint",
        help="show what a checkpoint holds, and what is wrong with it",
        description="Show what a file of weights, the folder of a model, an adapter or a "
        "checkpoint, or the folder of a whole run holds, what loading it would run, and which "
        "call loads it here. Nothing is unpickled, executed or loaded.",
        usage="pipedoctor checkpoint [OPTIONS] PATH",
    )
    checkpoint.add_argument(
        "target", metavar="PATH", help="a file or folder, or a model in the cache of the hub"
    )
    checkpoint.add_argument(
        "--exit-zero", action="store_true", help="exit with 0 whatever is found"
    )
    checkpoint.add_argument(
        "--tensors", action="store_true", help="list every tensor with its type, shape and file"
    )
    checkpoint.add_argument(
        "--scan",
        action="store_true",
        help="read every element, and look for NaN, infinity and tensors of zeros (weights below "
        "64 MB are always read)",
    )
    checkpoint.add_argument(
        "--resume-with",
        dest="resume_with",
        metavar="FILE",
        help="tell whether the training of this config or script would go on from it: what is "
        "taken, what is dropped, ignored or refused",
    )
    checkpoint.add_argument(
        "--convert",
        metavar="OUT.safetensors",
        help="write the weights of a pickle that loads without trust as a safetensors file",
    )
    checkpoint.add_argument(
        "--overwrite", action="store_true", help="with --convert: replace a file that is there"
    )
    _about_report(checkpoint)
    checkpoint.set_defaults(command=_lazy("checkpoint", "run"), time=None)


def _about_the_run(verb: argparse.ArgumentParser) -> None:
    """Add what the user may state of a run that can't be seen from here."""
    verb.add_argument(
        "--rows",
        dest="train_rows",
        type=values.number_of_rows,
        metavar="N",
        help="so many rows there are to train on, whatever a file has (for data that can't be "
        "counted before it is loaded)",
    )
    verb.add_argument(
        "--room",
        type=values.size,
        metavar="SIZE",
        help="so much room there is for output_dir, such as 50GB, whatever its disk has free "
        "(for quotas, which a disk does not tell, or for another machine)",
    )


def _about_target(verb: argparse.ArgumentParser, *, several: bool = False) -> None:
    """Add what every verb takes that examines a target, or several."""
    verb.add_argument(
        "targets" if several else "target",
        metavar="TARGET",
        nargs="*" if several else None,
        help="config (JSON, YAML or TOML), training script (.py), or module:callable"
        + (f"; {SEVERAL}" if several else ""),
    )
    verb.add_argument(
        "--time",
        type=values.seconds,
        metavar="SECONDS",
        help="limit for loading and probing (default: 120)",
    )
    verb.add_argument("--exit-zero", action="store_true", help="exit with 0 whatever is found")
    _about_report(verb)


def _about_report(verb: argparse.ArgumentParser) -> None:
    """Add what every verb takes that reports what it found."""
    verb.add_argument(
        "--output-format",
        choices=FORMATS,
        default="text",
        help="for people, programs, editors (concise), GitHub Actions, code scanning, CI servers "
        "(default: text)",
    )
    verb.add_argument(
        "-o",
        "--output-file",
        metavar="FILE",
        help="write the report there",
    )
    verb.add_argument(
        "--select", type=values.codes, metavar="CODES", help="run these checks only: LAB001,CKP"
    )
    verb.add_argument(
        "--ignore", type=values.codes, metavar="CODES", help="leave these checks out"
    )
    verb.add_argument(
        "--extend-select", type=values.codes, metavar="CODES", help="run these checks besides"
    )
    verb.add_argument(
        "--per-file-ignores",
        action="append",
        metavar="PATTERN:CODES",
        help="ignore these findings in files of this pattern: old/*.json:HYP,LAB001",
    )
    verb.add_argument(
        "--severity",
        action="append",
        metavar="CODE=SEVERITY",
        help="take findings of this check for errors, warnings or notes: HYP003=note",
    )
    verb.add_argument(
        "--baseline", metavar="FILE", help="count only what this file does not hold as known"
    )
    verb.add_argument(
        "--fail-on",
        choices=("note", "warning", "error"),
        default="warning",
        help="the mildest finding that makes the exit status 1 (default: warning)",
    )
    verb.add_argument(
        "--max-warnings",
        type=values.count,
        metavar="NUMBER",
        help="let so many warnings pass; one more makes the exit status 1",
    )
    verb.add_argument("--preview", action="store_true", help="show findings of low confidence too")


def _rules(commands: argparse._SubParsersAction[_Parser]) -> None:
    rules = commands.add_parser("rules", help="list the checks", description="List the checks.")
    rules.add_argument("--output-format", choices=("text", "json"), default="text")
    rules.set_defaults(command=_lazy("rules", "list_all"))

    rule = commands.add_parser(
        "rule", help="print the page of a check", description="Print the page of a check."
    )
    rule.add_argument("code", metavar="CODE", help="such as LAB001")
    rule.set_defaults(command=_lazy("rules", "show"))

    new = commands.add_parser(
        "new",
        help="write the skeleton of a check",
        description="Write the skeleton of a check: one file, with its page and its examples.",
    )
    new.add_argument("code", metavar="CODE", help="three capitals and three digits: HYP101")
    new.add_argument("name", metavar="NAME", help="the fault in words: warmup-outlasts-training")
    new.add_argument(
        "--folder",
        metavar="FOLDER",
        help="where to write it (default: the chapter's folder below checks/pipedoctor_checks, else the working directory)",
    )
    new.set_defaults(command=_lazy("new", "write"))


def _lazy(module: str, function: str) -> Callable[[argparse.Namespace], int]:
    """Return a function that imports a command's module only when it is called."""

    def call(arguments: argparse.Namespace) -> int:
        command = getattr(import_module(f"pipedoctor.cli.{module}"), function)
        return int(command(arguments))

    return call

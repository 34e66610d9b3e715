"""The words that several verbs take."""

from __future__ import annotations

import argparse

from pipedoctor.cli import values

FORMATS = ("text", "json", "concise", "github", "sarif", "junit")

SEVERAL = "of several, each is examined, and the worst decides on the exit status"

DEPTHS = ("static", "files", "data", "model", "forward", "backward", "training")


def about_the_run(verb: argparse.ArgumentParser) -> None:
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


def about_target(
    verb: argparse.ArgumentParser, *, several: bool = False, required: bool = True
) -> None:
    """Add what every verb takes that examines a target, or several."""
    verb.add_argument(
        "targets" if several else "target",
        metavar="TARGET",
        nargs="*" if several else None if required else "?",
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
    about_report(verb)


def about_report(verb: argparse.ArgumentParser) -> None:
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


def about_memory(verb: argparse.ArgumentParser) -> None:
    """Add what a memory is named by: a GPU, or a size."""
    where = verb.add_mutually_exclusive_group()
    where.add_argument("--gpu", metavar="NAME", help='the GPU to train on: "A100 40GB", T4, L4')
    where.add_argument(
        "--memory",
        type=values.memory,
        metavar="SIZE",
        help="the memory of the device to train on: 24GiB",
    )

"""What the verbs that examine have in common: wishes, the report and where it goes, the status."""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from typing import Any, TextIO

from pipedoctor import options as wishes
from pipedoctor.cli import CLEAN, FOUND, INTERNAL, UNSETTLED
from pipedoctor.fact import Cost
from pipedoctor.finding import Severity
from pipedoctor.options import Options, UsageError
from pipedoctor.registry import Registry
from pipedoctor.report import Report, Status, every


def publish(
    report: Report,
    arguments: argparse.Namespace,
    stream: TextIO | None = None,
    *,
    verb: str | None = None,
) -> None:
    """
    Write the report where it was wished for: to a file, or to this stream (standard output).

    `verb` names the module of `pipedoctor.reporters` that shows the figures of a verb: it has
    the functions `plain`, `write` and `figures`, and the widest page that it can use (`WIDEST`).

    Raises:
        UsageError: It can't be written there.

    """
    stream = stream or sys.stdout
    with heard(stream):
        _print(report, arguments, stream, verb)


@contextlib.contextmanager
def heard(stream: TextIO) -> Iterator[None]:
    """Write to a stream whose reader may go away."""
    try:
        yield
        stream.flush()
    except OSError as error:
        if error.errno != errno.EPIPE:
            raise UsageError(f"the report can't be written: {error.strerror}") from None
        # Whoever reads, `head` for instance, has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def status(arguments: argparse.Namespace, options: Options, *reports: Report) -> int:
    """Return the exit status that reports call for; warnings are counted in all of them."""
    if arguments.exit_zero:
        return CLEAN
    fail_on, most = Severity[arguments.fail_on.upper()], options.max_warnings
    levels = [entry.severity for report in reports for entry in every(report.entries)]
    if most is None:
        found = any(level >= fail_on for level in levels)
    else:
        graver = any(level >= fail_on for level in levels if level is not Severity.WARNING)
        found = graver or levels.count(Severity.WARNING) > most
    if found or any(report.count(Status.BLOCKED) for report in reports):
        return FOUND
    if any(report.count(Status.CRASHED) for report in reports):
        return INTERNAL
    return UNSETTLED if any(report.cut for report in reports) else CLEAN


_MORE = ("extend_select", "per_file_ignores", "severity", "max_warnings", "baseline")


def options(arguments: argparse.Namespace, known: Registry) -> Options:
    """Return the wishes of pyproject.toml and of the command line, which wins."""
    stated = wishes.merge(*wishes.read_settings(os.getcwd()), known)
    if arguments.select is not None:
        stated = replace(stated, select=wishes.codes(arguments.select, known, "--select"))
    if arguments.ignore is not None:
        ignored = wishes.codes(arguments.ignore, known, "--ignore")
        stated = replace(stated, ignore=(*stated.ignore, *ignored))
    if stated.baseline is not None or any(getattr(arguments, word) is not None for word in _MORE):
        from pipedoctor.cli import accepting

        stated = accepting.options(stated, arguments, known)
    return replace(
        stated,
        depth=Cost[arguments.depth.upper()],
        preview=arguments.preview or stated.preview,
        verbose=getattr(arguments, "verbose", False),
        seconds=arguments.time or stated.seconds,
        stated=_stated(arguments),
    )


def _stated(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the parts that are stated on the command line, by verbs that take them."""
    rows, room = getattr(arguments, "train_rows", None), getattr(arguments, "room", None)
    stated: dict[str, Any] = {
        "memory": wished_memory(arguments) or None,
        "train_rows": rows,
        "environment": room if room is None else {"disk_free": room},
    }
    if arguments.depth == "training":
        steps, more = getattr(arguments, "steps", None), getattr(arguments, "learnability", True)
        stated["overfit"] = {"steps": steps or 50}
        if more:
            stated["overfit"]["rows"] = getattr(arguments, "learned_rows", None) or 400
    return {name: part for name, part in stated.items() if part is not None}


def wished_memory(arguments: argparse.Namespace) -> dict[str, Any]:
    """
    Return the memory that is named: a GPU, or a size.

    Raises:
        UsageError: No GPU is called so; all that are known are told.

    """
    name, room = getattr(arguments, "gpu", None), getattr(arguments, "memory", None)
    if name is not None:
        from pipedoctor.probes.memory import gpus

        try:
            gpus.memory(name)
        except gpus.UnknownGpu as error:
            raise UsageError(f"--gpu: {error}") from None
    wishes = {"gpu": name, "room": room}
    return {word: wish for word, wish in wishes.items() if wish is not None}


def _print(
    report: Report, arguments: argparse.Namespace, stream: TextIO, verb: str | None
) -> None:
    page = import_module(f"pipedoctor.reporters.{verb or 'text'}")
    if arguments.output_format not in {"text", "json"}:
        from pipedoctor.cli.formats import rendering
        from pipedoctor.reporters.together import Together

        rendered = rendering(Together((report,)), arguments, stream)
    elif arguments.output_format == "json":
        from pipedoctor.reporters import json

        rendered = json.render(report, {verb: page.figures(report)} if verb is not None else {})
    elif arguments.output_file:
        rendered = page.plain(report)
    else:
        from pipedoctor.cli.terminal import in_colour, width

        page.write(report, stream, colour=in_colour(stream), width=width(stream, page.WIDEST))
        return
    if arguments.output_file:
        write(arguments.output_file, rendered)
    else:
        stream.write(rendered)


def refuse_overwriting(arguments: argparse.Namespace) -> None:
    """
    Refuse to write the report over the target.

    Raises:
        UsageError: It would be.

    """
    report = arguments.output_file
    if not report or not os.path.exists(report):
        return
    named = arguments.targets if hasattr(arguments, "targets") else [arguments.target]
    for target in named:
        if os.path.exists(target) and os.path.samefile(target, report):
            raise UsageError(
                f"{report} is what is to be examined; write the report to another file"
            )


def write(path: str, text: str, what: str = "the report") -> None:
    """Write a file; one that was there before stays whole until the new one is."""
    special = os.path.exists(path) and not os.path.isfile(path)  # /dev/stderr, a pipe
    draft = path if special else f"{path}.{os.getpid()}.tmp"
    try:
        with open(draft, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
        if not special:
            os.replace(draft, path)
    except OSError as error:
        if not special:
            with contextlib.suppress(OSError):
                os.unlink(draft)
        raise UsageError(f"{what} can't be written to {path}: {error.strerror}") from None

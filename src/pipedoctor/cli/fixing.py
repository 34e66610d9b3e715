"""`pipedoctor check --fix` and `--diff`: make the fixes that were found, or show them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from pipedoctor import registry
from pipedoctor.cli import CLEAN, FOUND, reports
from pipedoctor.cli.progress import Progress
from pipedoctor.cli.terminal import in_colour, width
from pipedoctor.examination import HERE, Examination
from pipedoctor.fixing import Refused, files, plan
from pipedoctor.options import Options, UsageError
from pipedoctor.registry import Registry
from pipedoctor.report import Report
from pipedoctor.reporters import fixes as page
from pipedoctor.reporters.layout import clean
from pipedoctor.reporters.text import write_lines
from pipedoctor.targets import Target, resolve

ROUNDS = 10
"""A fix may bring another fault to light; one that brings back an earlier one ends it before."""


def run(arguments: argparse.Namespace) -> int:
    """Make the fixes, or show them; return the exit status that what remains calls for."""
    if not (arguments.fix or arguments.diff):
        raise UsageError("--unsafe-fixes goes with --fix or --diff")
    if len(arguments.targets) != 1:
        raise UsageError("--fix and --diff take one target at a time")
    (arguments.target,) = arguments.targets
    reports.refuse_overwriting(arguments)
    known = registry.load()
    options = reports.options(arguments, known)
    target = _target(arguments)
    mending = _Mending(arguments, known, options)
    return mending.show() if arguments.diff else mending.mend(target.kind == "config")


def _target(arguments: argparse.Namespace) -> Target:
    target = resolve(arguments.target, arguments.arguments)
    if target.kind == "factory":
        raise UsageError(f"fixes are made in a config or a script, and {target.name} is neither")
    return target


@dataclass
class _Mending:
    """The target's file as it is mended, round after round."""

    arguments: argparse.Namespace
    known: Registry
    options: Options
    rounds: int = 0
    made: list[dict[str, object]] = field(default_factory=list)
    refused: list[dict[str, object]] = field(default_factory=list)
    seen: set[bytes] = field(default_factory=set)

    def mend(self, config: bool) -> int:
        """Fix, examine again, until nothing more can be fixed."""
        # What the text of a config tells is mended first: it costs nothing to look again.
        shallow = replace(self.options, depth=min(self.options.depth, HERE))
        if config and self.options.depth > HERE:
            for _ in self._rounds(shallow):
                pass
        report = None
        for report in self._rounds(self.options):  # noqa: B007 - the last one is what remains
            pass
        assert report is not None, "there is a first round"
        told = page.with_fixes(report, self.made, self.refused, rounds=self.rounds)
        reports.publish(told, self.arguments, verb="fixes")
        return reports.status(self.arguments, self.options, report)

    def show(self) -> int:
        """Show what would be changed on standard output; what would remain, after it."""
        before = files.read(self.arguments.target)
        report = self._examined(self.options)
        draft = self._draft(report, before)
        hidden = page.secrets_of(self.arguments.target)
        diff = page.diff(self.arguments.target, _text(before), draft.text, hidden)
        self._note(draft)
        told = page.with_fixes(report, self.made, self.refused, diff=diff)
        if self.arguments.output_format == "json" or self.arguments.output_file:
            reports.publish(told, self.arguments, verb="fixes")
        if self.arguments.output_format != "json":
            _print(diff)
            columns = width(sys.stderr, page.WIDEST)
            left = page.left(report, draft, columns)
            write_lines(left, sys.stderr, colour=in_colour(sys.stderr), width=columns)
        if diff and not self.arguments.exit_zero:
            return FOUND
        return CLEAN if diff else reports.status(self.arguments, self.options, report)

    def _rounds(self, options: Options) -> Iterator[Report]:
        """Yield the report of each round, the last being that of the file as it is left."""
        while True:
            before = files.read(self.arguments.target)
            report = self._examined(options)
            yield report
            if self.rounds == ROUNDS or not self._written(report, before):
                return
            self.rounds += 1

    def _written(self, report: Report, before: bytes) -> bool:
        """Make the fixes of a report; return whether the file is another now."""
        draft = self._draft(report, before)
        after = _bytes(draft.text, before)
        self.seen.add(before)
        if after == before:
            self._note(replace(draft, made=()))
            return False
        if after in self.seen:
            lost = tuple((entry, "it undoes another fix") for entry in draft.made)
            self._note(replace(draft, made=(), refused=draft.refused + lost))
            return False
        try:
            files.replace(self.arguments.target, before, after)
        except Refused as reason:
            raise UsageError(f"nothing was fixed: {reason}") from None
        self._note(draft)
        return True

    def _draft(self, report: Report, before: bytes) -> plan.Draft:
        return plan.drafted(report, _text(before), unsafe=self.arguments.unsafe_fixes)

    def _examined(self, options: Options) -> Report:
        with Progress(sys.stderr) as progress:
            return Examination(_target(self.arguments), self.known, options, progress).run()

    def _note(self, draft: plan.Draft) -> None:
        """Remember what was done; what was refused counts as the last round has it."""
        self.made += [page.told(entry) for entry in draft.made]
        self.refused = [page.told(entry) | {"reason": why} for entry, why in draft.refused]


def _print(diff: str) -> None:
    """Print a diff: to a program as it is, on a terminal without what would steer it."""
    sys.stdout.flush()
    if sys.stdout.isatty():
        lines = ("\t".join(map(clean, line.split("\t"))) for line in diff.split("\n"))
        sys.stdout.write("\n".join(lines))
    elif hasattr(sys.stdout, "buffer"):
        sys.stdout.buffer.write(diff.encode())
    else:  # a stream that keeps text, as of a program that calls `main`
        sys.stdout.write(diff)
    sys.stdout.flush()


_MARK = b"\xef\xbb\xbf"


def _text(data: bytes) -> str:
    return data.removeprefix(_MARK).decode()


def _bytes(text: str, before: bytes) -> bytes:
    """Return the bytes of a text, with the byte-order mark that was before it."""
    return (_MARK if before.startswith(_MARK) else b"") + text.encode()

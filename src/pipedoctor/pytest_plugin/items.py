"""Targets as pytest sees them: a collector each, and in it an item for each check."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from pipedoctor.fact import Cost
from pipedoctor.finding import Severity
from pipedoctor.listed_targets import split_target
from pipedoctor.pytest_plugin.project import Project
from pipedoctor.pytest_plugin.sharing import Examinations
from pipedoctor.registry import Row
from pipedoctor.report import Entry, Outcome, Report, Status, every
from pipedoctor.targets import TargetError, resolve

READY = "ready"
"""The item that passes if nothing keeps the target from training, and the model has been run."""

NOT_HERE = (
    "If the model can't be run where these tests run, leave this item out: --deselect '{}'; or "
    "stop before that: --pipedoctor-depth files\n"
)


@dataclass(frozen=True)
class Run:
    """What all items of a run of pytest have in common."""

    project: Project
    examinations: Examinations
    fail_on: Severity

    @property
    def depth(self) -> Cost:
        """How deep targets are examined."""
        return self.examinations.depth


class Found(Exception):  # noqa: N818 - what it carries is a finding, not an error of ours
    """What an item fails with: the text to show, its gist in a line, and the place it is about."""

    def __init__(self, text: str, gist: str, file: str | None, line: int | None) -> None:
        """Keep them."""
        super().__init__(text)
        self.gist = gist
        self.file = file
        self.line = line


class Pipeline(pytest.Collector):
    """One target. Its items are known without running any of it."""

    def __init__(self, *, run: Run, wanted: set[str], **keywords: Any) -> None:
        """Take the names of the wanted items; an empty one stands for all."""
        super().__init__(**keywords)
        self.run = run
        self.wanted = wanted

    def collect(self) -> Iterable[PipelineItem]:
        """Return the items: whether it is ready, then a check each."""
        name, arguments = split_target(self.name)
        try:
            with _working_in(self.run.project.folder):
                resolve(name, arguments)
        except TargetError as error:
            raise self.CollectError(str(error)) from None
        rows = self.run.project.options.choose(self.run.project.registry.rows)
        checks = [Check.from_parent(self, name=row.code, row=row) for row in rows]
        items: list[PipelineItem] = [Ready.from_parent(self, name=READY), *checks]
        strange = self.wanted - {item.name for item in items} - {""}
        if strange:
            raise self.CollectError(f"{self.name} has no item {', '.join(sorted(strange))}")
        return [item for item in items if "" in self.wanted or item.name in self.wanted]


class PipelineItem(pytest.Item):
    """What the items of a target have in common."""

    title: str

    def __init__(self, **keywords: Any) -> None:
        """Mark the item, so that it can be chosen with -m, and kept with the others by xdist."""
        super().__init__(**keywords)
        assert isinstance(self.parent, Pipeline)
        self.run = self.parent.run
        self.target = self.parent.name
        self.sections: list[tuple[str, str]] = []
        self.add_marker("pipedoctor")
        if self.config.pluginmanager.hasplugin("xdist"):
            self.add_marker(pytest.mark.xdist_group(self.target))

    def reportinfo(self) -> tuple[str, None, str]:
        """Return where the item is, and the line above its failure."""
        return str(self.path), None, f"{self.target}: {self.title}"

    def setup(self) -> None:
        """Examine the target, or wait until it is; a fault of ours is an error, no failure."""
        fault = self.run.examinations.of(self.target).fault
        if fault:
            pytest.fail(fault, pytrace=False)

    @property
    def report(self) -> Report:
        """The report on the target; `setup` has seen to it that there is one."""
        report = self.run.examinations.of(self.target).report
        assert report is not None
        return report

    def skip(self, reason: str) -> None:
        """Skip the item; options are told by the names that pytest has for them."""
        pytest.skip(reason.replace("--depth", "--pipedoctor-depth"))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return the finding as it is told on the command line, instead of a traceback."""
        found = excinfo.value
        if not isinstance(found, Found):
            return super().repr_failure(excinfo, style)
        told = excinfo.getrepr(style="value")
        if told.reprcrash is not None:  # what the summary, --tb=line and JUnit's message show
            told.reprcrash.message = found.gist
            told.reprcrash.path = found.file or str(self.path)
            told.reprcrash.lineno = found.line or 1
        return told


class Ready(PipelineItem):
    """Whether training may start: the whole report, the one cause first."""

    title = READY

    def runtest(self) -> None:
        """Fail unless the target is ready."""
        report, text = self.report, str(self.report)
        obstacle = report.obstacle(self.run.fail_on)
        if obstacle is None:
            self.sections.append(("pipedoctor", text))
            return
        if report.ok(self.run.fail_on):
            self._skip_if_it_could_not_be_known()
            text += NOT_HERE.format(self.nodeid)
        printed = self.run.examinations.of(self.target).printed
        if printed.strip():
            self.sections.append((f"Printed by {self.target}", printed))
        raise Found(text, obstacle, None, None)

    def _skip_if_it_could_not_be_known(self) -> None:
        """Skip where what the user asked for includes no run of the model."""
        if self.run.depth < Cost.FORWARD:
            self.skip("the model was not run: needs --depth forward")
        rows = self.run.project.options.choose(self.run.project.registry.rows)
        if not any(want.fact == "Forward" for row in rows for want in row.wants):
            self.skip("the model was not run: no selected check needs that")


class Check(PipelineItem):
    """What became of one check."""

    def __init__(self, *, row: Row, **keywords: Any) -> None:
        """Let the item be chosen by the name of the fault too."""
        super().__init__(**keywords)
        self.code = row.code
        self.title = f"{row.code} {row.rule.name}"
        self.extra_keyword_matches.add(row.rule.name)

    @property
    def outcome(self) -> Outcome:
        """What became of the check."""
        return next(o for o in self.report.outcomes if o.rule.code == self.code)

    def setup(self) -> None:
        """See to the report; a check that crashed is an error, no failure."""
        super().setup()
        if self.outcome.status is Status.CRASHED:
            title = f"{self.title} crashed, a bug in the check, not in your pipeline"
            pytest.fail(f"{title}\n{self.outcome.reason.strip()}", pytrace=False)

    def runtest(self) -> None:
        """Fail with what was found, or skip where nothing can be known."""
        found = [entry for entry in every(self.report.entries) if entry.rule.code == self.code]
        text = "\n".join(self._told(entry) for entry in found).rstrip()
        for entry in found:
            if entry.status is Status.BLOCKED or entry.severity >= self.run.fail_on:
                where = entry.finding.where
                raise Found(text, entry.finding.message, where.file, where.line)
        if found:
            self.sections.append(("pipedoctor", text))
        elif self.outcome.status is Status.BLOCKED:
            self.skip(self._what_blocked())
        elif self.outcome.status is Status.SKIPPED:
            self.skip(self.outcome.reason)

    def _told(self, entry: Entry) -> str:
        """Return a finding as the report tells it, and what causes it."""
        from pipedoctor.reporters.text import plain_finding

        text = plain_finding(self.report, entry)
        for cause in every(self.report.entries):
            if any(folded is entry for folded in cause.folded):
                text += f"  a consequence of {cause.rule.code} {cause.rule.name}\n"
        return text

    def _what_blocked(self) -> str:
        blocker = self.outcome.blocked_by
        for entry in every(self.report.entries):
            if entry.rule.code == blocker:
                return f"blocked by {blocker}: {entry.finding.message}"
        return f"blocked: {self.outcome.reason}"


@contextlib.contextmanager
def _working_in(folder: str) -> Iterator[None]:
    """Change the working directory for a moment."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)

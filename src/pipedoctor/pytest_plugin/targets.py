"""`pytest --pipedoctor`: the hooks that let the targets of the project into a run of pytest."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from pipedoctor import listed_targets, options
from pipedoctor.fact import Cost
from pipedoctor.options import UsageError
from pipedoctor.pytest_plugin import project
from pipedoctor.pytest_plugin.items import Pipeline, PipelineItem, Run
from pipedoctor.pytest_plugin.sharing import Examinations

NONE = (
    "--pipedoctor: no targets to examine; list them in pyproject.toml:\n"
    '[tool.pipedoctor]\ntargets = ["train.py -- --epochs 1", "config.json"]'
)


class Targets:
    """The targets of a run. This object is only there where they are asked for."""

    def __init__(self, config: pytest.Config) -> None:
        """Read what is asked for; `pytest.UsageError` if that makes no sense."""
        try:
            where = project.read(config)
        except UsageError as error:
            raise pytest.UsageError(str(error)) from None
        if not where.options.targets:
            raise pytest.UsageError(NONE)
        # On a worker of xdist, the folder that its controller made; none if that is elsewhere.
        meeting = getattr(config, "workerinput", {}).get("pipedoctor")
        self._run = Run(
            where,
            Examinations(
                where,
                Cost[config.getoption("pipedoctor_depth").upper()],
                meeting if meeting and os.path.isdir(meeting) else None,
            ),
            options.severity(config.getoption("pipedoctor_fail_on"), None),
        )
        self._wanted: dict[str, set[str]] = {}
        self._meeting: tempfile.TemporaryDirectory[str] | None = None

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker of xdist where the workers share what they know."""
        if self._meeting is None:
            self._meeting = tempfile.TemporaryDirectory(prefix="pipedoctor-")
        node.workerinput["pipedoctor"] = self._meeting.name

    def pytest_unconfigure(self) -> None:
        """Remove what the workers shared."""
        if self._meeting is not None:
            self._meeting.cleanup()

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        """
        Take our ids out of the words of the command line, before pytest looks for such files.

        `pytest --pipedoctor train.py::LAB001` would else import the script as a module of tests.
        """
        config, others = session.config, []
        for word in config.args:
            name, _, item = word.partition("::")
            target = self._named(name, config.invocation_params.dir)
            if target is None:
                others.append(word)
                continue
            self._wanted.setdefault(target, set()).add(item)
        config.args[:] = others

    def _named(self, name: str, here: Path) -> str | None:
        """Return the target of this name or path."""
        path = os.path.realpath(os.path.join(here, name))
        for target in self._run.project.options.targets:
            same = os.path.realpath(os.path.join(self._run.project.folder, target))
            if name == target or path == same:
                return target
        return None

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Add the targets to what the session holds: those that were named, else all."""
        report = yield
        if isinstance(collector, pytest.Session) and report.passed:
            for target in self._wanted or self._run.project.options.targets:
                report.result.append(self._collector(collector, target))
        return report

    def _collector(self, session: pytest.Session, target: str) -> Pipeline:
        name, _ = listed_targets.split_target(target)
        file = Path(self._run.project.folder, name)
        collector: Pipeline = Pipeline.from_parent(
            session,
            name=target,
            nodeid=target,
            path=file if file.exists() else Path(self._run.project.folder),
            run=self._run,
            wanted=self._wanted.get(target, {""}),
        )
        return collector

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Add what an item has to tell though it passed, and let a skip name the target."""
        report = yield
        if isinstance(item, PipelineItem):
            if call.when == "call":
                report.sections.extend(item.sections)
            if report.skipped and call.excinfo is not None:
                # A line number would be that of our own code.
                report.longrepr = (item.target, None, str(call.excinfo.value))  # type: ignore[assignment] # pytest prints None as no line
        return report

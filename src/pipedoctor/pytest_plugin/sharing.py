"""Each target is examined once in a run of the tests, however many workers xdist has."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import Any

from pipedoctor import serial
from pipedoctor.fact import Cost
from pipedoctor.pytest_plugin.project import Project
from pipedoctor.report import Report


@dataclass(frozen=True)
class Told:
    """What an examination came to: a report, or the sentence that says why there is none."""

    report: Report | None
    fault: str
    printed: str


@dataclass
class Examinations:
    """
    The examinations of a run, each made when it is first asked for.

    `meeting` is the folder that all workers of xdist share. Whoever comes first to a target locks
    its file there, and the others wait for what it writes. A worker that dies gives up its lock.
    """

    project: Project
    depth: Cost
    meeting: str | None = None
    _told: dict[str, Told] = field(default_factory=dict)

    def of(self, target: str) -> Told:
        """Return what came of a target."""
        if target not in self._told:
            answer = self._examine(target) if self.meeting is None else self._shared(target)
            rules = {row.code: row.rule for row in self.project.registry.rows}
            report = serial.read_report(answer["report"], rules) if "report" in answer else None
            self._told[target] = Told(report, answer.get("fault", ""), answer["printed"])
        return self._told[target]

    def _examine(self, target: str) -> dict[str, Any]:
        from pipedoctor.pytest_plugin.examining import examine

        return examine(target, self.project.folder, self.depth)

    def _shared(self, target: str) -> dict[str, Any]:
        import fcntl

        assert self.meeting is not None
        number = self.project.options.targets.index(target)
        path = os.path.join(self.meeting, f"{number}.json")
        with open(f"{path}.lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not os.path.exists(path):
                answer = self._examine(target)
                with open(f"{path}.draft", "w", encoding="utf-8") as file:
                    json.dump(answer, file)
                os.replace(f"{path}.draft", path)
            with open(path, encoding="utf-8") as file:
                told: dict[str, Any] = json.load(file)
        return told

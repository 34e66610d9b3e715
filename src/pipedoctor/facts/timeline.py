"""When everything of a run happens, and what stands on the disk meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipedoctor.fact import UNKNOWN, Fact, Unavailable
from pipedoctor.facts.checkpoint_plan import CheckpointPlan
from pipedoctor.facts.disk import Disk
from pipedoctor.facts.learning_rate import LearningRate
from pipedoctor.facts.schedule import Marks, Schedule

NOUNS = {"logs": "log line", "evaluations": "evaluation", "checkpoints": "checkpoint"}


@dataclass(frozen=True, repr=False, eq=False)
class Timeline(Fact):
    """
    The schedule of a run and all that hangs on it, as far as each can be known.

    `resumed` is the step that the run goes on from, 0 where it begins anew.
    """

    doing = "Laying out the run"

    schedule: Schedule
    rate: LearningRate = UNKNOWN
    plan: CheckpointPlan = UNKNOWN
    disk: Disk = UNKNOWN
    rows: int = UNKNOWN
    rows_from: str = ""
    """Where the number of rows was counted or stated."""
    resumed: int = 0

    @property
    def full_at(self) -> int | None:
        """The step whose checkpoint no longer fits on the disk; None if all do."""
        return self.plan.retention.too_many(self.disk.free // self.plan.bytes_each)

    def firsts(self) -> Iterator[tuple[str, int]]:
        """Yield what happens for the first time at which step, in the order of the steps."""
        found: dict[str, int] = {}
        for name, noun in NOUNS.items():
            marks: Marks | None = (
                getattr(self.schedule, name) if self.schedule.known(name) else None
            )
            if marks is not None and marks.first is not None:
                found[f"first {noun}"] = marks.first
        if self.schedule.known("steps_per_epoch"):
            ends = self.schedule.steps_per_epoch
            if ends < self.schedule.total_steps:
                found["end of the first epoch"] = ends
        if self.known("rate") and 0 < self.rate.warmup_steps < self.schedule.total_steps:
            found["end of the warm-up"] = self.rate.warmup_steps
        if self.known("plan") and self.plan.known("retention"):
            retention = self.plan.retention
            if retention.deleted(len(retention.written)):
                # Of a limit of 1 with a best one, that is the latest.
                place = len(retention.written) - retention.deleted(len(retention.written)) + 1
                found["first checkpoint deleted"] = retention.written.number(place)
        yield from sorted(found.items(), key=lambda item: item[1])
        yield "end", self.schedule.total_steps

    def figures(self) -> Mapping[str, object]:
        """Tell all of it; what is not known has the reason under the key `unavailable`."""
        schedule = self.schedule
        told: dict[str, object] = {"total_steps": schedule.total_steps, "resumed_at": self.resumed}
        for name in ("steps_per_epoch", "epochs", "batch_size", "warmup_steps"):
            told[name] = getattr(schedule, name) if schedule.known(name) else None
        told["origin"] = schedule.origin.origin
        told["rows"] = self.rows if self.known("rows") else None
        told["rows_from"] = self.rows_from
        for name in NOUNS:
            told[name] = _told(schedule, name, lambda marks: marks.figures())
        told["learning_rate"] = _told(self, "rate", lambda rate: rate.figures())
        told["disk"] = self._room()
        told["firsts"] = [
            {
                "what": what,
                "step": step,
                "epoch": step / schedule.steps_per_epoch
                if schedule.known("steps_per_epoch")
                else None,
                "share": step / schedule.total_steps if schedule.total_steps else None,
            }
            for what, step in self.firsts()
        ]
        return told

    def _room(self) -> dict[str, object]:
        """Return what the checkpoints take, as far as it is known."""
        told: dict[str, object] = {}
        if self.known("plan") and self.plan.known("bytes_each"):
            told["bytes_each"] = self.plan.bytes_each
        try:
            told |= {"path": self.disk.path, "free": self.disk.free}
            told["total"] = self.disk.total
        except Unavailable as reason:
            if "free" not in told:
                told["unavailable"] = str(reason)
        try:
            plan = self.plan
            retention = plan.retention
            told |= {
                "limit": retention.limit,
                "knows_best": retention.knows_best,
                "written": len(retention.written),
                "kept": retention.kept,
                "peak": retention.peak,
            }
            told["bytes_each"] = plan.bytes_each
            told["peak_bytes"] = plan.peak_bytes
            told["full_at"] = self.full_at
        except Unavailable as reason:
            told.setdefault("unavailable", str(reason))
        return told


def _told(fact: Fact, name: str, tell: Callable[[Any], object]) -> object:
    """Return what is told of a field, or why it is not known."""
    try:
        return tell(getattr(fact, name))
    except Unavailable as reason:
        return {"unavailable": str(reason)}

"""
An examination: which checks run here, which in a child process, and what comes of them.

Checks of settings and files run in this process. The others, for which data and model must be
loaded, run in a child, so that whatever happens there, the report is written.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from pipedoctor import frameworks, serial
from pipedoctor.fact import Cost
from pipedoctor.failures import attribute
from pipedoctor.masking import masked, secrets
from pipedoctor.options import Options
from pipedoctor.pipeline import Pipeline, figures, summaries
from pipedoctor.registry import Registry, Row
from pipedoctor.report import Outcome, Report, Status
from pipedoctor.runner import cost, in_text, run_one
from pipedoctor.targets import Target

HERE = Cost.FILES
"""The dearest cost that is spent in the process of the command line itself."""

STORED = frozenset(
    (
        *("Checkpoint", "Loading", "Restored", "Resumable", "Resume", "RunFolder", "SavedSteps"),
        "SavedValues",
    )
)
"""The facts of what a training left; a check of none of them has nothing to say of a checkpoint."""


@dataclass(repr=False, eq=False)
class Examination:
    """One target under examination; `outcomes` is to be exhausted before `report`."""

    target: Target
    registry: Registry
    options: Options
    watch: Callable[[str], None] | None = None
    problems: list[str] = field(default_factory=list)
    figures: Sequence[str] = ()
    """The names of facts whose figures are asked for besides the checks."""
    facts: list[dict[str, object]] = field(default_factory=list)
    shown: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    told: dict[str, Outcome] = field(default_factory=dict)
    cut: str = ""

    def run(self) -> Report:
        """Examine the target."""
        here = pipeline(
            self.target, min(self.options.depth, HERE), self.problems, self.options.stated
        )
        rows = self.options.choose(self.registry.rows)
        if self.target.kind == "checkpoint":
            rows = [row for row in rows if any(want.fact in STORED for want in row.wants)]
        later: list[Row] = []
        for row, measured in run_rows(rows, here, self.options):
            outcome = measured
            reachable = outcome.over is not None and outcome.over <= self.options.depth
            if outcome.over is not None and self.target.not_loaded:
                reachable = False
                outcome = replace(outcome, reason=self.target.not_loaded, over=None)
            if reachable or self._runs_code:
                later.append(row)
            if not reachable or outcome.findings:
                self.told[row.code] = outcome
        self._tell(attribute(self.told.values(), here, rows))
        deeper = later or (self.figures and self.options.depth > HERE)
        deeper = deeper and self.target.kind != "checkpoint"  # everything lies in files
        if self.figures and not deeper:
            self.shown = serial.plain(figures(here, self.figures))
        self.facts = summaries(here.measurements)
        if deeper:
            self._continue_in_child(later, rows)
        report = Report(
            target=self.target.name,
            outcomes=masked((self.told[code] for code in sorted(self.told)), self._secrets()),
            subject=(*self.target.subject, *subject(self.facts)),
            plan=plan(self.facts),
            facts=tuple(self.facts),
            problems=(*self.target.problems, *self.registry.problems, *self.problems),
            figures={name: tuple(entries) for name, entries in self.shown.items()},
            severities=self.options.severities,
            preview=self.options.preview,
            verbose=self.options.verbose,
            cut=self.cut,
            stored=self.target.kind in {"checkpoint", "machine"},
        )
        return accepted(report, self.options, self.registry)

    def _secrets(self) -> set[str]:
        settings = self.target.parts.get("settings")
        return secrets(settings) if isinstance(settings, Mapping) else set()

    @property
    def _runs_code(self) -> bool:
        """Whether code of the user's will be run, so that more is known than its text tells."""
        return (
            self.target.kind in {"script", "factory", "model", "blueprint"}
            and self.options.depth > HERE
        )

    def _continue_in_child(self, later: Sequence[Row], rows: Sequence[Row]) -> None:
        from pipedoctor.process import parent

        task = parent.Task(later, rows, self.figures)
        answer = parent.examine(self.target, task, self.options, self.watch)
        self._tell(answer.outcomes.values())
        self.shown, self.cut = answer.figures, answer.cut
        facts = {(fact["fact"], fact.get("split")): fact for fact in self.facts}
        for fact in reversed(answer.facts):  # of several trainings, the first stands
            facts[fact["fact"], fact.get("split")] = fact
        self.facts = list(facts.values())
        real = facts.get(("Rows", "train"), {})
        if "train_rows" in self.options.stated and real and "told" not in real:
            counted = "no length" if real["rows"] is None else f"{real['rows']:,} rows"
            self.problems.append(f"--rows is not used: the trainer's own data has {counted}")
        self.problems += answer.problems

    def _tell(self, outcomes: Iterable[Outcome]) -> None:
        """
        Take in outcomes; one that tells nothing replaces none that does.

        What was found stays, except what was found by reading code that was run afterwards: the
        run shows which of its lines are reached, and what their values are.
        """
        for outcome in outcomes:
            before = self.told.get(outcome.rule.code)
            if before is not None and before.telling and not outcome.telling:
                continue
            if before is None or outcome.findings or not before.findings or self._runs_code:
                self.told[outcome.rule.code] = outcome


UNUSED = "RUN004"
"""The check that tells of comments that ignore nothing: known once all others have run."""


def accepted(report: Report, options: Options, registry: Registry) -> Report:
    """Return the report with what the user has accepted set apart; mostly, there is nothing."""
    found = (finding for outcome in report.outcomes for finding in outcome.findings)
    files = {report.target, *(one.where.file for one in found if one.where.file is not None)}
    if options.per_file or options.baseline is not None or any(map(_has_wishes, files)):
        from pipedoctor.ignoring import heed

        return heed(report, options, registry)
    if not os.path.isfile(report.target):
        return report
    told = (
        Outcome(outcome.rule, Status.PASSED) if outcome.rule.code == UNUSED else outcome
        for outcome in report.outcomes
    )
    return replace(report, outcomes=tuple(told))


def _has_wishes(path: str) -> bool:
    """Whether a file may hold a comment that is meant for us; JSON has no comments."""
    if path.endswith((".json", ".bin", ".safetensors")) or not os.path.isfile(path):
        return False
    with suppress(OSError), open(path, "rb") as file:
        return b"pipedoctor:" in file.read(1 << 22)
    return False


def pipeline(
    target: Target, budget: Cost, problems: list[str], stated: Mapping[str, object] | None = None
) -> Pipeline:
    """
    Return the pipeline of a target; what can't be had for it is added to the problems.

    `stated` are the parts that the user states beside it.
    """
    parts = target.parts.also(**stated or {})
    return Pipeline(parts, frameworks.probes(parts, problems), budget)


def run_rows(
    rows: Sequence[Row], subject: Pipeline, options: Options, first: Sequence[str] = ()
) -> Iterator[tuple[Row, Outcome]]:
    """
    Yield the outcome of each check, those with cheaper facts first.

    Of those that cost the same, the ones that need the facts named in `first` lead, in its order.
    A check that is sure to be over the budget, or to lack a fact, is not even imported.
    """
    needs = {row.code: [w.fact for w in row.wants if not w.optional] for row in rows}
    costs = {row.code: cost(needs[row.code], subject) for row in rows}

    def turn(row: Row) -> tuple[Cost, int, str]:
        places = [first.index(fact) for fact in needs[row.code] if fact in first]
        return costs[row.code], min(places, default=len(first)), row.code

    for row in sorted(rows, key=turn):
        price = costs[row.code]
        if price > subject.budget:
            reason = f"needs --depth {price.name.lower()}"
            yield (
                row,
                _read(row, Outcome(row.rule, Status.SKIPPED, (), reason, over=price), subject),
            )
            continue
        lacking = next(filter(None, map(subject.out_of_reach, needs[row.code])), None)
        if lacking is not None:
            yield row, _read(row, Outcome(row.rule, Status.SKIPPED, (), lacking), subject)
            continue
        outcome = run_one(row.load(), subject, options.of(row.code))
        yield row, replace(outcome, rule=row.rule)


def _read(row: Row, skipped: Outcome, subject: Pipeline) -> Outcome:
    """Return what the text of a script tells of a check whose facts can't be measured."""
    if not row.in_text or "script" not in subject.parts:
        return skipped
    return in_text(row.load(), subject, skipped)


FEW_STEPS = 40
"""Of so few watched steps it is told why they were no more: what comes late is not seen."""


def _watched(fact: dict[str, object]) -> str:
    """Return how much of a loop was watched."""
    from pipedoctor.units import plural

    steps = fact["steps"]
    assert isinstance(steps, int)
    if fact.get("whole") or steps >= FEW_STEPS:
        return f"{plural(steps, 'step')} of its loop watched"
    return f"{plural(steps, 'step')} of an unknown number watched of its loop ({fact['ended']})"


def subject(facts: Sequence[dict[str, object]]) -> tuple[str, ...]:
    """Return the words of the first line that facts tell: versions, rows, the model."""
    from pipedoctor.units import count, millions

    words = []
    for fact in facts:
        if fact["fact"] == "Settings":
            assumed = " (assumed, it is not installed)" if fact.get("assumed") else ""
            words.append(f"transformers {fact['transformers']}{assumed}")
        elif fact["fact"] == "Rows" and fact.get("split") == "train" and fact["rows"] is not None:
            told = f" ({fact['told']})" if fact.get("told") else ""
            words.append(f"{count(fact['rows'])} rows{told}")
        elif fact["fact"] == "Compiled":
            words.append(f"{fact['library']} {fact['version']} on {fact['backend']}")
        elif fact["fact"] == "Model" and any(other["fact"] == "Compiled" for other in facts):
            words.append(f"{fact['name']} ({millions(fact['parameters'])} parameters)")
        elif fact["fact"] == "ModelFiles":
            size = f" ({millions(fact['parameters'])})" if "parameters" in fact else ""
            words.append(f"{fact['name']}{size}")
        elif fact["fact"] == "Loop":
            words.append(_watched(fact))
    return tuple(words)


def plan(facts: Sequence[dict[str, object]]) -> tuple[str, ...]:
    """Return what the run will do, as far as facts tell: steps, checkpoints, room."""
    from pipedoctor.units import count, plural, size

    by_name = {str(fact["fact"]): fact for fact in facts}
    schedule, disk = by_name.get("Schedule"), by_name.get("Disk")
    room = by_name.get("CheckpointPlan", {})
    memory = _memory(by_name.get("MemoryPlan", {}))
    if schedule is None:
        return memory
    words = [plural(schedule["total_steps"], "step")]
    fit = by_name.get("Fit", {})
    if "batches" in fit and fit["batches"] is not None and "batch_size" in fit:
        many = "batch" if fit["batches"] == 1 else "batches"
        words[0] += f" in {plural(fit['epochs'], 'epoch')} of {count(fit['batches'])} {many}"
    if "checkpoints" in schedule:
        number = schedule["checkpoints"]
        text = plural(number, "checkpoint")
        if number and "bytes_each" in room:
            text += f" of {size(room['bytes_each'])}"
        if number:
            text += f", the first at step {count(schedule['first_checkpoint'])}"
        words.append(text)
        if number and "peak_bytes" in room and disk is not None:
            words.append(f"{size(room['peak_bytes'])} at most, {size(disk['free'])} free")
    if schedule.get("evaluations"):
        words.append(plural(schedule["evaluations"], "evaluation"))
    return (*words, *memory)


def _memory(told: Mapping[str, object]) -> tuple[str, ...]:
    """Return what a step takes of the device that is planned for, where one is named."""
    from pipedoctor.units import gib

    if "room" not in told:
        return ()
    device = f" on {told['gpu']}" if told["gpu"] else ""
    return (f"a step takes {gib(told['total'])} of {gib(told['room'])}{device}",)

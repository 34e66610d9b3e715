"""The fact `Learnability` of a trial that was made; no framework."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any

from pipedoctor.facts.learnability import CLASSES, UNRELATED, Learnability
from pipedoctor.frameworks.learnability import baselines, scores, verdicts
from pipedoctor.frameworks.learnability.association import Fit
from pipedoctor.frameworks.learnability.baselines import Told
from pipedoctor.frameworks.learnability.lesson import Task
from pipedoctor.frameworks.learnability.trial import Trial
from pipedoctor.frameworks.learnability.verdicts import Known

MORE = 1200
"""
So many rows the baseline gets in the end, where the first ones show nothing.

It takes seconds, where a network would take minutes, and sees relations half as strong.
"""

Inputs = Mapping[str, Sequence[Any]]
"""What the model was given: arrays by name with a row for each row."""


@dataclass(frozen=True)
class Way:
    """How the model was trained."""

    optimizer: str
    rate: float
    own: bool


def learnability(
    trial: Trial,
    task: Task,
    inputs: Inputs,
    way: Way,
    more: Callable[[], tuple[Inputs, Task]] | None = None,
) -> Learnability:
    """Return the fact; `more` gives more rows, with their task, for the baseline alone."""
    import numpy as np

    every = baselines.kernels(inputs)
    baseline = baselines.best(every, task.labels)
    halves = [half for half in trial.halves if half.given]
    asked = [trial.rows_of(half.asked) for half in halves]
    fit = trial.fit
    answers = np.concatenate([half.answers for half in halves]) if halves else np.zeros((0, 1))
    rows = np.concatenate([np.asarray(group) for group in asked]) if halves else np.zeros(0, int)
    labels = task.labels[rows]
    model = scores.score("the model", answers, labels, task.kind, fit)
    seen = len(task.labels)

    def judged_by(found: Told | None) -> verdicts.Judged:
        return verdicts.judge(
            fit,
            found,
            Known(len(task.labels), task.second, fitted=trial.fitted, late=trial.late),
            easier=verdicts.faster(trial.halves[0].losses, trial.shuffled),
        )

    judged = judged_by(baseline)
    if judged.verdict == UNRELATED and more is not None:
        wide, whole = more()
        if len(whole.labels) > seen:
            seen = len(whole.labels)
            wider = baselines.best(baselines.kernels(wide), whole.labels)
            judged = judged_by(wider)
            if baseline is not None and wider is not None:
                baseline = replace(baseline, p=wider.p, z=wider.z)
    told: Any = None
    difference, noise = None, None
    if baseline is not None and halves:
        kernel = next(one for one in every if one.name == baseline.name)
        others = [
            baselines.across(kernel, task.labels, trial.rows_of(half.learned), group)
            for half, group in zip(halves, asked, strict=True)
        ]
        match = np.concatenate(others)
        told = scores.score(baseline.name, match, labels, task.kind, Fit(baseline.p, baseline.z))
        apart = scores.each(answers, labels, task.kind) - scores.each(match, labels, task.kind)
        difference, noise = float(apart.mean()), float(apart.std() / sqrt(max(1, len(apart))))
    chance = scores.constant(task.labels, task.kind)
    return Learnability(
        verdict=judged.verdict,
        kind=task.kind,
        rows=len(task.labels),
        model=model,
        chance=chance,
        baseline=told,
        difference=difference,
        noise=noise,
        losses=tuple(trial.halves[0].losses),
        shuffled=tuple(trial.shuffled),
        fitted=trial.fitted,
        optimizer=way.optimizer,
        rate=way.rate,
        own=way.own,
        updates=trial.updates,
        reason=judged.reason,
        smallest=scores.smallest(len(rows), chance, task.kind),
        classes=int((task.labels.sum(0) > 0).sum()) if task.kind == CLASSES else None,
        seen=seen,
    )

"""What figures amount to, and what a label of a row is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pipedoctor.fact import Unavailable
from pipedoctor.facts.learnability import (
    CLASSES,
    INCONCLUSIVE,
    NUMBERS,
    RELATED,
    SEVERAL,
    UNRELATED,
)
from pipedoctor.facts.overfit import CANNOT, LEARNS, Curve, Overfit
from pipedoctor.frameworks.learnability import rates, scores
from pipedoctor.frameworks.learnability.association import Fit
from pipedoctor.frameworks.learnability.baselines import Told
from pipedoctor.frameworks.learnability.lesson import Task
from pipedoctor.frameworks.learnability.trial import Trial
from pipedoctor.frameworks.learnability.verdicts import Known, judge

ENOUGH = Known(400, 200, fitted=True, late=False)
NOTHING = Told("a bag of words", None, 0.6, -0.2)


@pytest.mark.parametrize(
    ("model", "baseline", "known", "easier", "verdict"),
    [
        (Fit(0.0004, 4.0), NOTHING, ENOUGH, 0.0, RELATED),
        (Fit(0.5, 0.0), replace(NOTHING, p=0.0025, z=6.0), ENOUGH, 0.0, RELATED),
        (Fit(0.5, 0.0), NOTHING, ENOUGH, 0.0, UNRELATED),
        (Fit(0.2, 0.9), NOTHING, ENOUGH, 0.0, INCONCLUSIVE),
        (Fit(0.5, 0.0), replace(NOTHING, p=0.1, z=1.3), ENOUGH, 0.0, INCONCLUSIVE),
        (Fit(0.5, 0.0), NOTHING, ENOUGH, 0.4, INCONCLUSIVE),
        (Fit(0.5, 0.0), None, ENOUGH, 0.0, INCONCLUSIVE),
        (Fit(0.5, 0.0), NOTHING, replace(ENOUGH, late=True), 0.0, INCONCLUSIVE),
        (Fit(0.5, 0.0), NOTHING, replace(ENOUGH, fitted=False), 0.0, INCONCLUSIVE),
        (Fit(0.5, 0.0), NOTHING, replace(ENOUGH, rows=150), 0.0, INCONCLUSIVE),
        (Fit(0.5, 0.0), NOTHING, replace(ENOUGH, second=9), 0.0, INCONCLUSIVE),
    ],
)
def test_unrelated_is_said_only_where_nothing_speaks_against_it(
    model: Fit, baseline: Told | None, known: Known, easier: float, verdict: str
) -> None:
    judged = judge(model, baseline, known, easier=easier)
    assert judged.verdict == verdict
    assert bool(judged.reason) == (verdict == INCONCLUSIVE)


@pytest.mark.parametrize(
    ("labels", "outputs", "kind", "width"),
    [
        ([0, 1, 2, 1], (4,), CLASSES, 4),
        ([[0], [1], [2], [1]], (3,), CLASSES, 3),
        ([0.0, 1.0, 1.0, 0.0], (1,), CLASSES, 2),
        ([0.5, 1.5, 2.5, 0.1], (1,), NUMBERS, 1),
        ([[1, 0, 0], [0, 1, 0]], (3,), CLASSES, 3),
        ([[1.0, 1.0, 0.0], [0.0, 1.0, 0.0]], (3,), SEVERAL, 3),
        ([[0.2, 1.1], [0.5, 0.1]], (2,), NUMBERS, 2),
    ],
)
def test_what_labels_are(labels: Any, outputs: tuple[int, ...], kind: str, width: int) -> None:
    task = Task.of(np.asarray(labels), outputs)
    assert (task.kind, task.labels.shape[1]) == (kind, width)


@pytest.mark.parametrize(
    ("labels", "outputs", "why"),
    [
        ([[1, 2, 3]], (3, 50), "one label"),
        ([1, 1, 1], (4,), "the same label"),
        ([1, 9], (4,), "out of the model's range"),
        (list(range(150)), (150,), "150 classes"),
    ],
)
def test_what_is_no_label_of_a_row(labels: Any, outputs: tuple[int, ...], why: str) -> None:
    with pytest.raises(Unavailable, match=why):
        Task.of(np.asarray(labels), outputs)


def test_answers_are_read_as_chances_whatever_the_model_gives() -> None:
    classes = Task.of(np.array([0, 1, 2]), (3,))
    logits = np.array([[4.0, 0.0, 0.0], [0.0, 0.0, 9.0]])
    assert classes.read(logits).sum(1) == pytest.approx([1, 1])
    sure = np.array([[0.7, 0.2, 0.1], [0.0, 0.0, 1.0]])
    assert classes.read(sure) == pytest.approx(sure)
    yes = Task.of(np.array([0.0, 1.0]), (1,))
    assert yes.read(np.array([[0.9], [0.1]])) == pytest.approx(np.array([[0.1, 0.9], [0.9, 0.1]]))
    assert yes.read(np.array([[-30.0], [30.0]])).argmax(1).tolist() == [0, 1]
    assert yes.second == 1


def test_scores_are_those_that_people_know() -> None:
    labels = np.eye(2)[[0, 0, 0, 1]]
    answers = np.eye(2)[[0, 0, 1, 1]]
    assert scores.score("it", answers, labels, CLASSES, Fit(0.1, 1.0)).value == 0.75
    assert scores.constant(labels, CLASSES) == 0.75
    assert scores.above_chance(answers, labels, CLASSES) == 0.0
    numbers = np.arange(8.0)[:, None]
    assert scores.score("it", -numbers, numbers, NUMBERS, Fit(1, 0)).value == pytest.approx(-1)
    assert scores.constant(np.array([[1.0, 0.0], [1.0, 1.0]]), SEVERAL) == pytest.approx(0.75)


class Pupil:
    """Answers a share of the rows rightly from its second pass on, of the learned ones all."""

    def __init__(self, labels: Any, batches: Sequence[Sequence[int]], share: float) -> None:
        random = np.random.default_rng(0)
        self.told = np.where(
            random.random((len(labels), 1)) < share,
            labels,
            labels[random.permutation(len(labels))],
        )
        self.labels, self.batches, self.begun, self.shuffled = labels, batches, 0, 0

    def begin(self) -> None:
        self.begun += 1

    def learn(self, batch: int, *, shuffled: bool) -> tuple[float, Any]:
        self.shuffled += shuffled
        return 0.1, self.labels[list(self.batches[batch])]

    def answers(self, batch: int) -> Any:
        return self.told[list(self.batches[batch])]


def trial(share: float, **words: Any) -> tuple[Trial, Pupil]:
    batches = [tuple(range(start, start + 10)) for start in range(0, 200, 10)]
    labels = np.eye(2)[np.random.default_rng(1).integers(0, 2, 200)]
    pupil = Pupil(labels, batches, share)
    made = Trial(pupil, batches, labels, CLASSES, **words)
    made.run()
    return made, pupil


def test_proof_ends_it_at_once() -> None:
    made, pupil = trial(0.9)
    assert made.sure
    assert made.fit.p <= 0.001
    assert (pupil.begun, made.updates) == (1, 10)


def test_without_proof_both_halves_are_learned_and_one_with_its_labels_shuffled() -> None:
    made, pupil = trial(0.0)
    assert not made.sure
    assert (pupil.begun, made.updates, pupil.shuffled) == (3, 30, 10)
    assert made.fitted
    assert len(made.shuffled) == 1


def test_it_ends_when_time_is_up() -> None:
    made, _ = trial(0.0, deadline=0.0)
    assert made.late
    assert made.updates == 0
    assert made.fit == Fit(1.0, 0.0)


def overfit(*curves: Curve, verdict: str = LEARNS, needed: float | None = None) -> Overfit:
    return Overfit(verdict=verdict, curves=curves, rows=(0, 1), needed=needed)


def test_the_rate_is_the_users_where_that_is_quick_enough() -> None:
    own = Curve("SGD", 0.1, (1.0, 0.5), own=True)
    other = Curve("AdamW", 1e-3, (1.0, 0.1), reached=True)
    assert rates.chosen(overfit(own, other, needed=20)).own
    chosen = rates.chosen(overfit(own, other, needed=5000))
    assert (chosen.name, chosen.rate, chosen.own) == ("AdamW", 2.5e-4, False)
    with pytest.raises(Unavailable, match="not even one batch"):
        rates.chosen(overfit(own, verdict=CANNOT))

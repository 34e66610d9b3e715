"""Whether answers go with labels: the figures, against other orders that are really tried."""

from __future__ import annotations

import numpy as np
import pytest

from pipedoctor.frameworks.learnability import association
from pipedoctor.frameworks.learnability.association import Fit


def test_answers_that_know_the_labels_fit_better_than_all_orders() -> None:
    labels = association.one_hot(np.arange(60) % 3, range(3))
    told = association.fit(labels, labels)
    assert told.p == 1 / (association.ORDERS + 1)
    assert told.z > 8


def test_answers_that_know_nothing_are_like_any_order() -> None:
    random = np.random.default_rng(0)
    labels = random.normal(size=(100, 1))
    fits = [association.fit(random.normal(size=(100, 2)).sum(1), labels) for _ in range(12)]
    assert 0.2 < np.mean([one.p for one in fits]) < 0.8
    assert max(abs(one.z) for one in fits) < 3.5


def test_the_spread_over_all_orders_is_the_one_that_is_computed() -> None:
    random = np.random.default_rng(1)
    answers, labels = random.normal(size=(40, 3)), random.normal(size=(40, 3))
    one = association.centred(answers)
    other = association.centred(labels, bounded=False)
    tried = [float((one * other[random.permutation(40)]).sum()) for _ in range(4000)]
    real = float((one * other).sum())
    assert association.standing(answers, labels) == pytest.approx(real / np.std(tried), rel=0.05)
    assert np.mean(tried) == pytest.approx(0, abs=0.1 * np.std(tried))


def test_two_halves_that_teach_each_other_are_no_two_proofs() -> None:
    random, both = np.random.default_rng(2), []
    for _ in range(60):
        x = np.c_[random.normal(size=(80, 6)), np.ones(80)]
        y = association.one_hot(random.integers(0, 2, 80), range(2))
        halves = []
        for learned, asked in ((slice(0, 40), slice(40, 80)), (slice(40, 80), slice(0, 40))):
            weights = np.linalg.lstsq(x[learned], y[learned], rcond=None)[0]
            halves.append(association.standing(x[asked] @ weights, y[asked]))
        both.append(halves)
    assert np.corrcoef(np.array(both).T)[0, 1] > 0.6
    assert association.together([Fit(0.01, 2.0), Fit(0.4, 1.0)]) == Fit(0.02, 1.5)
    assert association.together([]) == Fit(1.0, 0.0)


def test_one_wild_answer_is_no_proof() -> None:
    random = np.random.default_rng(3)
    answers, labels = random.normal(size=(100, 1)), random.normal(size=(100, 1))
    answers[7], labels[7] = 1e9, 3.0
    assert association.standing(answers, labels) < 4


@pytest.mark.parametrize("answers", [np.zeros((10, 2)), np.full((10, 2), np.nan)])
def test_answers_that_are_all_alike_tell_nothing(answers: np.ndarray) -> None:
    assert association.fit(answers, np.arange(10)) == Fit(1.0, 0.0)

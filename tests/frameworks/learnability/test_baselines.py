"""What needs no network to tell labels."""

from __future__ import annotations

import numpy as np
import pytest
from learnability_pipelines import crossed, plain, words

from pipedoctor.frameworks.learnability import association, baselines, lesson

ROWS = 200


@pytest.mark.parametrize(
    ("make", "name"),
    [(words, "a bag of words"), (crossed, "what rows are near to")],
)
def test_labels_that_go_with_inputs_are_told_and_shuffled_ones_are_not(make, name) -> None:  # type: ignore[no-untyped-def] - a maker of data
    random = np.random.default_rng(0)
    inputs, classes = make(random, ROWS)
    kernels = baselines.kernels(inputs)
    labels = association.one_hot(classes, range(2))
    told = baselines.best(kernels, labels)
    assert told is not None
    assert told.p <= 0.005
    assert told.z > 4
    assert told.name == name
    other = baselines.best(kernels, labels[random.permutation(ROWS)])
    assert other is not None
    assert other.p > 0.01


def test_rows_that_were_not_learned_from_are_told_by_the_others() -> None:
    inputs, classes = plain(np.random.default_rng(1), ROWS)
    labels = association.one_hot(classes, range(2))
    kernel = baselines.kernels(inputs)[0]
    learned, asked = list(range(0, ROWS, 2)), list(range(1, ROWS, 2))
    answers = baselines.across(kernel, labels, learned, asked)
    right = (answers.argmax(1) == classes[asked]).mean()
    rows = inputs["x"] - inputs["x"].mean(0)
    rows = np.c_[rows / rows.std(0), np.ones(ROWS)]
    weights = np.linalg.lstsq(rows[learned], labels[learned], rcond=None)[0]
    assert right == pytest.approx(
        ((rows[asked] @ weights).argmax(1) == classes[asked]).mean(), abs=0.06
    )
    assert right > 0.75


def test_padding_and_words_of_one_row_count_for_nothing() -> None:
    ids = [[5, 6, 0, 0], [5, 7, 0], [6, 7]]
    masks = [[1, 1, 0, 0], [1, 1, 0], [1, 1]]
    (bag,) = baselines.kernels({"input_ids": ids, "attention_mask": masks})
    assert bag.products == pytest.approx(bag.products.T)
    assert bag.products[0, 1] == pytest.approx(bag.products[1, 2])
    assert np.diag(bag.products) == pytest.approx([1, 1, 1])


def test_words_that_two_texts_share_are_a_reading_of_their_own() -> None:
    random = np.random.default_rng(0)
    ids, kinds, same = [], [], []
    for _ in range(ROWS):
        one, two = random.choice(np.arange(10, 500), (2, 6), replace=False)
        same.append(int(random.integers(0, 2)))
        two[: 3 * same[-1]] = one[: 3 * same[-1]]
        ids.append([*one, *two])
        kinds.append([0] * 6 + [1] * 6)
    labels = association.one_hot(same, range(2))
    told = baselines.best(baselines.kernels({"input_ids": ids, "token_type_ids": kinds}), labels)
    assert told is not None
    assert told.name == "how many words two texts share"
    assert told.p <= 0.005


def test_rows_of_very_many_numbers_are_averaged_over_neighbours() -> None:
    kernels = baselines.kernels({"x": np.random.default_rng(0).normal(size=(12, 3, 100, 100))})
    assert [kernel.products.shape for kernel in kernels] == [(12, 12), (12, 12)]


@pytest.mark.parametrize("inputs", [{}, {"x": [[1.0], [1.0, 2.0]]}, {"x": np.zeros((20, 3))}])
def test_what_cannot_be_read_has_no_baseline(inputs: dict[str, object]) -> None:
    assert baselines.best(baselines.kernels(inputs), np.arange(20.0)) is None  # type: ignore[arg-type] - ragged, on purpose


def test_the_same_rows_are_taken_each_time_and_no_input_twice() -> None:
    assert lesson.places(1000, 30) == lesson.places(1000, 400)[:30]
    assert lesson.first_ones(["a", "b", "a", "c", "b"]) == [0, 1, 3]
    assert lesson.grouped([1, 2, 3, 4, 5], 2) == [(1, 2), (3, 4)]

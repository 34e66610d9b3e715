import pytest
from data_facts import OWN, collator, forward, head, labels, multi_hot
from facts import findings, outcome
from hypothesis import given
from hypothesis import strategies as st

from pipedoctor.fact import UNKNOWN, Unavailable
from pipedoctor.facts.head import MULTI, REGRESSION, SINGLE
from pipedoctor.finding import Location
from pipedoctor.report import Status
from pipedoctor_checks.labels.label_out_of_range import label_out_of_range as check
from pipedoctor_checks.labels.labels_do_not_start_at_zero import (
    labels_do_not_start_at_zero as renumbering,
)


def judge(facts, train, outputs, function=None, answer=None):
    return findings(check, facts, train, outputs, function, answer)


def told(*facts):
    (found,) = judge(*facts)
    return found


def test_counts_the_rows_that_cannot_be_learned_and_shows_one():
    train = labels(
        [0, 1, 2, 1, 2, 0], texts={2: "Perhaps.", 4: "Who knows?"}, names={2: "neutral"}
    )
    found = told(train, train, head(2, origin=Location(file="train.py", line=31)))

    assert found.message == (
        "The data has labels 0, 1, 2 but the head has 2 outputs; 2 of 6 rows (33%) cannot be "
        'learned; row 2 is "Perhaps." → 2 (neutral)'
    )
    assert found.where == Location(
        file="train.py", line=31, column="label", split="train", rows=(2, 4)
    )
    assert found.remedy.startswith("num_labels=3 where the model is made")
    assert found.evidence["examples"] == [
        {"row": 2, "label": 2, "text": "Perhaps."},
        {"row": 4, "label": 2, "text": "Who knows?"},
    ]


def test_the_change_is_made_where_the_number_is_stated():
    train = labels([0, 1, 2])
    origin = Location(file="config.json", line=4, key="num_labels")

    assert told(train, train, head(2, origin=origin)).remedy == 'set "num_labels": 3'


@pytest.mark.parametrize(
    ("values", "outputs"),
    [
        ([0, 1, 2, 1], 3),
        ([0] * 99 + [1], 2),  # imbalanced
        ([1, 1, 1], 2),  # one class only
        ([0, 2], 3),  # a class that does not occur
        ([0, -100, 1], 2),  # left out by the loss
        ([False, True], 2),
        ([0, 1], 5),  # more outputs than classes
        ([0, 5, 9], 1),  # one output: a regression
    ],
)
def test_healthy_labels_are_not_mentioned(values, outputs):
    train = labels(values)

    assert not judge(train, train, head(outputs))
    assert not judge(train, None, head(outputs))


@pytest.mark.parametrize(
    ("facts", "outputs"),
    [
        (labels([0.5, 3.5, 7.0]), 2),
        (labels(["a", "b", "c"]), 2),
        (multi_hot([[0, 1, 1], [1, 0, 0]]), 3),
        (labels([], kind="int"), 2),
    ],
)
def test_other_kinds_of_labels_are_the_matter_of_other_checks(facts, outputs):
    assert not judge(facts, facts, head(outputs))


def test_a_stated_regression_takes_any_number():
    train = labels([0, 7])
    assert not judge(train, train, head(2, problem_type=REGRESSION))
    assert judge(train, train, head(1, problem_type=SINGLE, per_token=True))


def test_evaluation_data_with_a_class_that_training_lacks():
    train, evaluation = labels([0, 1]), labels([0, 1, 2, 2])
    found = told(evaluation, train, head(2))

    assert "evaluation data has labels 0, 1, 2" in found.message
    assert "2 of 4 rows (50%) make the evaluation fail" in found.message
    assert found.where.split == "eval"
    assert 'eval_data.filter(lambda row: 0 <= row["label"] < 2)' in found.remedy


def test_evaluation_data_with_the_labels_of_training_is_not_told_twice():
    train, evaluation = labels([0, 1, 2]), labels([1, 2, 2])

    assert told(train, train, head(2))
    assert not judge(evaluation, train, head(2))


def test_rows_without_a_label_are_left_out_rather_than_given_a_class():
    train = labels([0, 1, 2, -1, 1])
    found = told(train, train, head(3))

    assert "leave out the rows without a label" in found.remedy
    assert "add 1 to each label" in found.alternatives[0]


def test_labels_with_gaps_are_numbered_anew():
    train = labels([0, 5, 7, 5])
    assert "{0: 0, 5: 1, 7: 2}" in told(train, train, head(2)).remedy


def test_labels_of_tokens_count_tokens():
    train = labels([0, 3, -100, 1], per_token=True)
    found = told(train, train, head(2, per_token=True))

    assert "1 of 4 tokens (25%)" in found.message


def test_deberta_leaves_out_every_negative_label():
    train = labels([-1, 0, 1, -7])

    assert not judge(train, train, head(2, casts=True))
    assert (
        "1 of 4 rows"
        in told(labels([-1, 0, 1, 2]), labels([-1, 0, 1]), head(2, casts=True)).message
    )
    assert judge(train, train, head(2, casts=True, problem_type=SINGLE))


def test_a_collator_that_renumbers_is_believed_when_seen():
    train = labels([1, 2, 3])
    moved, kept = (
        forward(1.1, [1.1] * 3, labels=(0.0, 1.0, 2.0)),
        forward(1.1, [1.1] * 3, labels=(1.0, 2.0, 3.0)),
    )

    with pytest.raises(Unavailable, match="collator"):
        judge(train, train, head(2), OWN, moved)
    assert judge(train, train, head(2), OWN, kept)
    assert judge(train, train, head(2), OWN)  # the forward raised, or was not run
    assert judge(train, train, head(2), collator("input_ids"), moved)


def test_a_vocabulary_is_no_set_of_classes():
    train = labels([0, 31_000], per_token=True)
    assert not judge(train, train, head(30_522, per_token=True))


def test_too_many_labels_to_count():
    train = labels([0], counts=UNKNOWN, minimum=3, maximum=5312)
    found = told(train, train, head(2))

    assert "from 3 to 5,312" in found.message
    assert '"num_labels": 5313' in found.alternatives[0]
    fits = labels([0], counts=UNKNOWN, minimum=-100, maximum=1999)
    assert not judge(fits, fits, head(2000))


def test_several_labels_a_row_need_as_many_outputs():
    train = multi_hot([[0.0, 1.0, 1.0], [1.0, 0.0, 0.0]])

    assert not judge(train, train, head(3))
    found = told(train, train, head(2, problem_type=MULTI))
    assert "has 3 labels and the head has 2 outputs" in found.message


def test_unknown_outputs_are_no_clean_bill():
    ended = outcome(check, train_data={"label": [0, 1, 2]}, settings={})

    assert ended.status is Status.SKIPPED
    assert "num_labels" in ended.reason


@given(
    values=st.lists(st.integers(-2, 6) | st.just(-100), min_size=1, max_size=12),
    outputs=st.integers(2, 6),
)
def test_exactly_one_check_speaks_whenever_the_loss_would_raise(values, outputs):
    train = labels(values)
    raises = any(value != -100 and not 0 <= value < outputs for value in values)
    here = judge(train, train, head(outputs))
    there = findings(renumbering, train, head(outputs), None, None, None)

    assert len(here) + len(there) == int(raises)

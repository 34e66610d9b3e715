import pytest
from data_facts import OWN, batch, collator, forward, head, labels
from facts import findings, the_finding

from pipedoctor.fact import Unavailable
from pipedoctor_checks.labels.labels_do_not_start_at_zero import (
    labels_do_not_start_at_zero as check,
)


def judge(values, outputs, **known):
    return findings(check, labels(values, **known), head(outputs), None, None, None)


def test_a_shift_is_undone_by_subtracting():
    (found,) = judge([1, 2, 3, 3], 3)

    assert "1, 2, 3" in found.message
    assert "2 of 4 rows (50%)" in found.message
    assert 'row["label"] - 1' in found.remedy
    assert found.where.rows == (2,)


def test_minus_one_and_one_are_two_classes():
    (found,) = judge([-1, 1, 1], 2)

    assert "table = {-1: 0, 1: 1}" in found.remedy
    assert "-1 stands for no label" in found.alternatives[0]


def test_a_sentiment_scale_is_shifted_up():
    assert 'row["label"] + 1' in judge([-1, 0, 1], 3)[0].remedy


def test_gaps_are_closed():
    assert "{10: 0, 20: 1, 30: 2}" in judge([10, 20, 30], 3)[0].remedy


def test_a_long_table_is_computed_not_printed():
    (found,) = judge(list(range(0, 60, 2)), 40)

    assert "enumerate(sorted(set(" in found.remedy
    assert found.evidence["numbering"]["58"] == 29


@pytest.mark.parametrize(
    ("values", "outputs"),
    [
        ([0, 1, 2], 3),
        ([1, 2], 3),  # class 0 does not occur
        ([0, 2], 3),  # class 1 does not occur
        ([1, -100], 2),
        ([0, 1, 2], 2),  # too many classes: label-out-of-range
        ([1, 2, 3], 1),  # a regression
    ],
)
def test_nothing_to_renumber(values, outputs):
    assert not judge(values, outputs)


def test_text_is_no_label():
    facts = labels(["pos", "neg", "pos"])
    found = the_finding(check, facts, None, None, None, None)

    assert "2 labels are text ('neg', 'pos')" in found.message
    assert 'class_encode_column("label")' in found.remedy


def test_text_that_the_collator_numbers_is_fine():
    facts = labels(["pos", "neg"])

    assert not findings(check, facts, head(2), batch("int64"), OWN, None)
    assert findings(check, facts, head(2), batch(None), OWN, None)
    assert findings(check, facts, head(2), None, collator("input_ids"), None)
    with pytest.raises(Unavailable, match="collator"):
        findings(check, facts, head(2), None, OWN, None)


def test_a_collator_that_renumbers_is_believed_when_seen():
    facts = labels([1, 2, 3])
    moved = forward(1.1, [1.1] * 3, labels=(0.0, 1.0, 2.0))

    with pytest.raises(Unavailable, match="collator"):
        findings(check, facts, head(3), batch(), OWN, moved)
    assert findings(check, facts, head(3), None, OWN, None)


def test_deberta_leaves_out_every_negative_label():
    assert not findings(check, labels([-1, 1]), head(2, casts=True), None, None, None)
    assert findings(check, labels([1, 2]), head(2, casts=True), None, None, None)


def test_numbers_cannot_be_judged_without_a_head():
    with pytest.raises(Unavailable, match="outputs"):
        findings(check, labels([1, 2]), None, None, None, None)


def test_encoding_the_column_as_advised_mends_it():
    datasets = pytest.importorskip("datasets")
    train = datasets.Dataset.from_dict({"label": ["pos", "neg", "pos"]})
    evaluation = datasets.Dataset.from_dict({"label": ["neg"]})

    train = train.class_encode_column("label")
    evaluation = evaluation.cast_column("label", train.features["label"])

    assert train["label"][:] == [1, 0, 1]
    assert evaluation["label"][:] == [0]

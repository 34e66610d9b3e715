import pytest
from data_facts import OWN, collator, samples
from facts import findings, settings, the_finding

from pipedoctor.fact import Unavailable
from pipedoctor_checks.data.ragged_batch import ragged_batch as check

DEFAULT = collator(name="default_data_collator")
PADDING = collator("input_ids", "attention_mask")
TOKENS = collator("input_ids", "attention_mask", "labels")


def judge(rows, function, known=None):
    return findings(check, rows, rows, function, known)


def test_names_column_lengths_and_rows():
    rows = samples({"input_ids": (5, 3, 9), "attention_mask": (5, 3, 9)}, "label")
    found = the_finding(check, rows, rows, DEFAULT, None)

    assert found.message == (
        "The lengths of input_ids differ (so do those of attention_mask): 3 in row 1, 9 in row 2; "
        "default_data_collator does not pad them"
    )
    assert found.where.rows == (1, 2)
    assert "DataCollatorWithPadding(tokenizer)" in found.remedy
    assert found.evidence["lengths"] == {"input_ids": [5, 3, 9], "attention_mask": [5, 3, 9]}


def test_labels_of_tokens_need_a_collator_of_their_own():
    rows = samples({"input_ids": (5, 3), "labels": (5, 3)})

    assert "DataCollatorForTokenClassification" in judge(rows, PADDING)[0].remedy
    assert not judge(rows, TOKENS)


def test_labels_of_another_length_are_those_of_a_sequence():
    rows = samples({"input_ids": (5, 3), "labels": (2, 4)})
    assert "DataCollatorForSeq2Seq" in judge(rows, PADDING)[0].remedy


def test_a_column_of_the_users_own_is_dropped():
    rows = samples({"input_ids": (5, 3), "words": (4, 2)})
    (found,) = judge(rows, PADDING)

    assert found.where.column == "words"
    assert found.remedy.startswith('train_data = train_data.remove_columns(["words"])')


def test_label_and_labels_are_the_same_to_a_collator_that_pads_them():
    assert not judge(samples({"input_ids": (5, 3), "label": (5, 3)}), TOKENS)


@pytest.mark.parametrize(
    ("rows", "function"),
    [
        (samples({"input_ids": (5, 5), "attention_mask": (5, 5)}), DEFAULT),
        (samples({"input_ids": (5, 3)}), PADDING),
        (samples({"input_ids": (5,)}), DEFAULT),
        (samples({}), DEFAULT),
    ],
)
def test_healthy(rows, function):
    assert not judge(rows, function)


def test_a_batch_of_one_row_is_never_ragged():
    rows = samples({"input_ids": (5, 3)})

    assert not judge(rows, DEFAULT, settings(per_device_train_batch_size=1))
    assert judge(rows, DEFAULT, settings(per_device_train_batch_size=2))
    alone = settings(per_device_train_batch_size=1, per_device_eval_batch_size=8)
    (found,) = findings(check, rows, samples({}), DEFAULT, alone)
    assert found.where.split == "eval"


def test_a_collator_of_the_users_own_is_not_guessed_at():
    with pytest.raises(Unavailable):
        judge(samples({"input_ids": (5, 3)}), OWN)

"""Checks that look at all rows: where they speak, and where they hold their tongue."""

from __future__ import annotations

from typing import Any

import pytest
from data_facts import head, labels
from facts import findings, settings, the_finding

from pipedoctor import Severity
from pipedoctor.facts import Duplicates, Feature, Features, LabelOrder, Lengths, Model, Recoded
from pipedoctor_checks.data.all_rows_of_one_class import all_rows_of_one_class
from pipedoctor_checks.data.class_missing_from_a_split import class_missing_from_a_split
from pipedoctor_checks.data.evaluation_rows_seen_in_training import (
    evaluation_rows_seen_in_training,
)
from pipedoctor_checks.data.input_that_never_changes import input_that_never_changes
from pipedoctor_checks.data.inputs_not_finite import inputs_not_finite
from pipedoctor_checks.data.one_class_nearly_alone import one_class_nearly_alone
from pipedoctor_checks.data.padding_to_one_length import padding_to_one_length
from pipedoctor_checks.data.same_input_other_label import same_input_other_label
from pipedoctor_checks.data.sorted_and_never_shuffled import sorted_and_never_shuffled
from pipedoctor_checks.data.tokens_of_another_tokenizer import tokens_of_another_tokenizer


def shared(rows: int, both: int, distinct: int | None = None, **known: Any) -> Duplicates:
    pairs = ((3, 17),) if both else ()
    told = {"shared": both, "shared_pairs": pairs, "train_rows": 5000, "texts": {3: "a text"}}
    return Duplicates(("text",), rows, rows if distinct is None else distinct, **told | known)


def test_shared_rows_are_told_with_an_example() -> None:
    finding = the_finding(evaluation_rows_seen_in_training, shared(500, 60))
    assert finding.message == (
        "60 of 500 evaluation rows (12%) are among the 5,000 training rows too (text is equal)"
    )
    assert finding.shows == ("evaluation row 3 is training row 17: 'a text'",)
    assert "seen = set(train_data['text'])" in finding.remedy


def test_rows_that_were_drawn_are_told_as_such() -> None:
    finding = the_finding(evaluation_rows_seen_in_training, shared(500, 60, train_of=90_000))
    assert "among 5,000 of the 90,000 training rows" in finding.message


@pytest.mark.parametrize(
    "quiet", [shared(549, 12), shared(500, 500, distinct=4), Duplicates(("text",), 500, 500)]
)
def test_a_few_twins_or_made_up_rows_are_no_leak(quiet: Duplicates) -> None:
    assert not findings(evaluation_rows_seen_in_training, quiet)


def contradictions(wrong: int, rows: int = 1000, distinct: int = 900) -> Duplicates:
    return Duplicates(
        ("text",), rows, distinct, contradicting=2 * wrong, unlearnable=wrong,
        pairs=((0, 5),), pair_labels=((0, 1),),
    )  # fmt: skip


def test_the_ceiling_of_the_accuracy() -> None:
    finding = the_finding(same_input_other_label, contradictions(50), head(2))
    assert "no model has an accuracy above 95.0% here" in finding.message
    assert finding.shows == ("rows 0 and 5 have the labels 0 and 1",)
    assert not findings(same_input_other_label, contradictions(19), head(2))
    assert not findings(same_input_other_label, contradictions(50), head(1))
    assert not findings(same_input_other_label, contradictions(50, distinct=20), head(2))


def order(runs: int, longest: int, *, shuffled: Any = False, classes: int = 2) -> LabelOrder:
    return LabelOrder(
        "label", 1000, classes, runs, 501.0, 15.8, longest, 0, 0, shuffled, "it says so"
    )


def test_sorted_rows() -> None:
    finding = the_finding(sorted_and_never_shuffled, order(2, 500), settings())
    assert "changes 1 time in 1,000 rows (in a random order about 500 times)" in finding.message
    assert "500 rows, 62 batches, are all of label 0" in finding.message
    assert finding.remedy == "train_data = train_data.shuffle(seed=42)"


@pytest.mark.parametrize(
    "quiet",
    [
        order(2, 500, shuffled=True),
        order(490, 500),  # as many changes as in a random order
        order(100, 40),  # in stretches of a few batches
        order(1, 1000, classes=1),
    ],
)
def test_rows_in_an_order_that_does_no_harm(quiet: LabelOrder) -> None:
    assert not findings(sorted_and_never_shuffled, quiet, settings())


def test_larger_batches_hold_more_of_a_stretch() -> None:
    large = settings(per_device_train_batch_size=64)
    assert not findings(sorted_and_never_shuffled, order(40, 500), large)


def cut(at: int, rows: int) -> Lengths:
    return Lengths("input_ids", 128, 1000, 1000, at, rows)


def seen(shared: int = 24, column: str = "input_ids") -> Duplicates:
    return Duplicates((column,), 128, 120, shared=shared, shared_pairs=((2, 126),), train_rows=512)


def test_equal_rows_that_were_cut_to_few_tokens() -> None:
    (finding,) = evaluation_rows_seen_in_training(seen(), cut(8, 128))
    assert "128 of 128 rows end at exactly 8 tokens" in finding.message
    assert finding.remedy == "tokenise with a larger max_length than 8, and look again"
    assert "remove duplicates" in finding.alternatives[0]


@pytest.mark.parametrize(
    "lengths", [None, cut(128, 128), cut(8, 20)], ids=["unknown", "long", "short texts"]
)
def test_equal_rows_that_were_not_cut(lengths: Lengths | None) -> None:
    (finding,) = evaluation_rows_seen_in_training(seen(), lengths)
    assert "tokens" not in finding.message
    assert "remove duplicates before the split" in finding.remedy


def test_an_evaluation_that_is_the_training_data() -> None:
    (finding,) = evaluation_rows_seen_in_training(seen(128, "text"), None)
    assert "nothing would be left" in finding.remedy
    assert "train_test_split" in finding.remedy


def test_two_batches_are_enough_where_each_label_comes_once() -> None:
    for size, told in ((64, 1), (250, 1), (256, 0)):
        stated = settings(per_device_train_batch_size=size)
        assert len(findings(sorted_and_never_shuffled, order(2, 500), stated)) == told


def test_classes_in_one_split_only() -> None:
    train, evaluation = labels([0] * 90 + [1] * 110), labels([1] * 30 + [2] * 70)
    unseen, absent = findings(class_missing_from_a_split, train, evaluation, None)
    assert unseen.message == (
        "Class 2 is in 70 of 100 evaluation rows (70%), and in 0 of 200 training rows: they can't "
        "be learned"
    )
    assert "where about 45 were to be expected" in absent.message


@pytest.mark.parametrize(
    ("train", "evaluation"),
    [
        ([0, 1] * 50, [0, 1] * 10),
        ([0] * 500 + [1] * 500 + [2] * 9, [0, 1] * 50),  # too rare to be in every part
        ([0, 1] * 200, [0, 1] * 99 + [2]),  # one row of 199
        ([0, 1] * 50, [-1] * 100),  # a test set whose labels are not published
        ([0, 1] * 5, [2] * 5),  # too few to say
        ([0.5, 0.7] * 50, [0.1] * 50),  # measurements
    ],
)
def test_splits_that_may_well_be_random(train: list[Any], evaluation: list[Any]) -> None:
    assert not findings(class_missing_from_a_split, labels(train), labels(evaluation), None)


def test_a_label_without_an_output_is_another_fault() -> None:
    train, evaluation = labels([0, 1] * 50 + [2] * 50), labels([0, 1] * 40)
    assert findings(class_missing_from_a_split, train, evaluation, head(3))
    assert not findings(class_missing_from_a_split, train, evaluation, head(2))


def test_one_class() -> None:
    finding = the_finding(all_rows_of_one_class, labels([3] * 80), head(5))
    assert finding.message.startswith("All 80 training rows that have a label have the label 3")
    for quiet in (labels([3] * 10), labels([3] * 80 + [2]), labels([0.5] * 80)):
        assert not findings(all_rows_of_one_class, quiet, head(5))
    assert not findings(all_rows_of_one_class, labels([3] * 80), head(1))


def test_imbalance_is_a_note_unless_accuracy_chooses() -> None:
    rare = labels([0] * 980 + [1] * 20)
    note = the_finding(one_class_nearly_alone, rare, settings())
    assert note.severity is None
    chosen = settings(metric_for_best_model="eval_accuracy", load_best_model_at_end=True)
    assert the_finding(one_class_nearly_alone, rare, chosen).severity is Severity.WARNING
    # Reuters R8, whose largest class has half of the rows
    assert not findings(one_class_nearly_alone, labels([0] * 2840 + [1] * 2645), chosen)


def lengths(batched: int, width: int | None = 512, rows: int = 1000, **known: Any) -> Lengths:
    told = {"batch": 8, "batched": batched, "width": width}
    return Lengths("input_ids", rows, 60_000, 512_000, 300, 1, **told | known)


def test_padding() -> None:
    finding = the_finding(padding_to_one_length, lengths(128_000), settings())
    assert finding.message == (
        "All 1,000 rows are padded to 512 tokens, and 88% of 512,000 tokens are padding; batches "
        "of 8 that are padded to their own longest row hold 4.0 times less"
    )
    for quiet in (
        lengths(300_000),
        lengths(128_000, width=None),
        lengths(128_000, rows=100),
        lengths(128_000, packed=True),
    ):
        assert not findings(padding_to_one_length, quiet, settings())
    assert not findings(padding_to_one_length, lengths(128_000), settings(torch_compile=True))


def recoded(foreign: int, inside: int = 0, same: int = 0) -> Recoded:
    rows = tuple(range(foreign))
    return Recoded(
        ("text",), foreign + inside + same, same=same, inside=inside, foreign=rows,
        shows={0: ("a text", "zz qq")} if foreign else {},
    )  # fmt: skip


def test_foreign_tokens() -> None:
    finding = the_finding(tokens_of_another_tokenizer, recoded(64), None)
    assert finding.message.startswith("64 of 64 rows that were tokenised anew hold the ids")
    assert finding.shows == ("row 0: 'a text' is stored as 'zz qq'",)
    for quiet in (recoded(0, same=64), recoded(7), recoded(20, inside=5), recoded(30, same=30)):
        assert not findings(tokens_of_another_tokenizer, quiet, None)


def test_two_halves_may_have_a_tokenizer_each() -> None:
    halves = Model("EncoderDecoderModel", {})
    assert not findings(tokens_of_another_tokenizer, recoded(64), halves)
    assert findings(tokens_of_another_tokenizer, recoded(64), Model("LlamaForCausalLM", {}))


def features(**of: Feature) -> Features:
    return Features(of, 1000)


GOOD = Feature(0.0, 1.0, 0.5, 0.3)
CONSTANT = Feature(7.0, 7.0, 7.0, 0.0)


def test_numbers() -> None:
    bad = Feature(0.0, 1.0, 0.5, 0.3, not_finite=12, first_bad=(4, 9))
    finding = the_finding(inputs_not_finite, features(age=bad, size=GOOD))
    assert finding.message == "age is NaN, infinite or missing in 12 of 1,000 rows"
    assert finding.where.rows == (4, 9)
    assert not findings(inputs_not_finite, features(size=GOOD))


def test_constants() -> None:
    finding = the_finding(input_that_never_changes, features(a=CONSTANT, b=GOOD, c=GOOD))
    assert finding.message == "1 of 3 inputs are the same in all 1,000 rows: a is 7"
    assert finding.severity is None
    most = the_finding(input_that_never_changes, features(a=CONSTANT, b=GOOD))
    assert most.severity is Severity.WARNING
    margin = {f"x[{n}]": CONSTANT for n in range(65)}
    assert not findings(input_that_never_changes, features(b=GOOD, **margin))

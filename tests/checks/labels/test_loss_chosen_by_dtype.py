import pytest
from data_facts import OWN, batch, head, labels, multi_hot
from facts import findings, the_finding

from pipedoctor.fact import UNKNOWN, Unavailable
from pipedoctor.facts.head import MULTI, REGRESSION, SINGLE
from pipedoctor.finding import Severity
from pipedoctor_checks.labels.loss_chosen_by_dtype import loss_chosen_by_dtype as check


def judge(facts, outputs, seen=None):
    return findings(check, facts, facts, outputs, seen, None)


def test_classes_stored_as_floats():
    (found,) = judge(labels([0.0, 1.0, 2.0]), head(3))

    assert found.severity is None  # an error: the first step fails
    assert "binary cross-entropy" in found.message
    assert "because the labels are float32 and the head has 3 outputs" in found.message
    assert found.remedy == (
        'train_data = train_data.cast_column("label", datasets.Value("int64"))'
    )


def test_quantities_with_a_head_for_classes():
    (found,) = judge(labels([0.5, 1.25, 3.0]), head(2))

    assert "no whole numbers" in found.remedy
    many = labels([0.5], counts=UNKNOWN)
    assert "no whole numbers" in judge(many, head(2))[0].remedy


def test_truth_values_as_the_collator_makes_them():
    truths = labels([True, False])

    assert "int64" in judge(truths, head(2), batch("bool"))[0].remedy
    assert not judge(truths, head(2), batch("int64"))
    with pytest.raises(Unavailable):
        judge(truths, head(2))


@pytest.mark.parametrize("problem", [MULTI, REGRESSION])
def test_a_stated_problem_that_the_labels_do_not_have(problem):
    (found,) = judge(labels([0, 1, 2]), head(3, problem_type=problem))

    assert f'problem_type="{problem}" is stated' in found.message
    assert found.remedy == f'problem_type="{SINGLE}"'
    assert found.where.key == "num_labels"


def test_a_stated_classification_of_floats():
    (found,) = judge(labels([0.0, 1.0]), head(2, problem_type=SINGLE))
    assert "it takes int64" in found.message


def test_an_inferred_problem_is_not_taken_for_a_stated_one():
    inferred = head(2, problem_type=SINGLE, inferred="2 outputs and labels of type int")

    assert not judge(labels([0, 1]), inferred)
    assert judge(labels([True, False]), inferred, batch("bool"))


def test_one_output_and_two_values_is_hardly_a_regression():
    (found,) = judge(labels([0.0, 1.0, 1.0]), head(1))

    assert found.severity is Severity.WARNING
    assert 'datasets.Value("int64")' in found.remedy
    assert 'set "num_labels": 2' in found.remedy
    assert 'problem_type="regression"' in found.alternatives[0]


def test_a_scale_of_whole_floats_may_be_meant():
    assert judge(labels([0.0, 1.0, 2.0]), head(1))[0].severity is Severity.NOTE


def test_tokens_want_integers_as_seen_in_the_batch():
    facts = labels([0.0, 1.0], per_token=True)

    assert judge(facts, head(2, per_token=True), batch("float32"))
    assert not judge(facts, head(2, per_token=True), batch("int64"))
    with pytest.raises(Unavailable):
        judge(facts, head(2, per_token=True))


@pytest.mark.parametrize(
    ("facts", "outputs"),
    [
        (labels([0, 1, 2]), head(3)),
        (labels([0, 1], examples={}), head(2, problem_type=SINGLE)),
        (labels([0.5, 3.8, 2.1]), head(1)),
        (labels([0.0, 1.0]), head(1, problem_type=REGRESSION)),
        (labels([1.0, 2.0, 5.0]), head(1)),
        (labels([0.5], counts=UNKNOWN), head(1)),
        (labels([0, 1, 2]), head(1)),  # integers: regression-head-for-classes
        (multi_hot([[0.0, 1.0, 1.0]]), head(3)),
        (multi_hot([[0, 1, 1]]), head(3)),  # multi-label-target-not-float
        (labels(["a", "b"]), head(2)),
        (labels([0.0, 1.0]), head(2, per_token=True)),
    ],
)
def test_healthy(facts, outputs):
    assert not judge(facts, outputs)


@pytest.mark.parametrize("values", [[0.0, 1.0], [True, False], [0, 1]])
def test_deberta_takes_one_label_of_any_type_for_a_class(values):
    seen = batch("bool" if values[0] is True else None)

    assert not judge(labels(values), head(2, casts=True), seen)


def test_deberta_takes_lists_for_shares_of_one_class():
    several, one = multi_hot([[1, 1, 0], [0, 0, 1]]), multi_hot([[0, 1, 0], [0, 0, 1]])
    (found,) = judge(several, head(3, casts=True))

    assert found.severity is Severity.WARNING
    assert "the 2 rows have 3 ones" in found.message
    assert f'problem_type="{MULTI}"' in found.remedy
    assert not judge(one, head(3, casts=True))
    assert not judge(several, head(3, casts=True, problem_type=MULTI))


def test_a_collator_of_the_users_own_is_not_guessed_at():
    facts = labels([0.0, 1.0])

    with pytest.raises(Unavailable, match="collator"):
        findings(check, facts, facts, head(2), None, OWN)
    assert not findings(check, facts, facts, head(2), batch("int64"), OWN)
    assert the_finding(check, facts, None, head(2), batch("float32"), OWN).where.split == "eval"

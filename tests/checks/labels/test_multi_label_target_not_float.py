import pytest
from data_facts import OWN, batch, collator, head, labels, multi_hot
from facts import findings, the_finding

from pipedoctor.fact import Unavailable
from pipedoctor.facts.head import MULTI, REGRESSION
from pipedoctor_checks.labels.multi_label_target_not_float import (
    multi_label_target_not_float as check,
)

INTS = multi_hot([[0, 1, 1], [1, 0, 0]])


@pytest.mark.parametrize("known", [{}, {"problem_type": MULTI}])
def test_integers_are_to_be_cast(known):
    found = the_finding(check, INTS, INTS, head(3, **known), None, None)

    assert "has 3 labels of type int64" in found.message
    assert found.remedy == (
        'train_data = train_data.cast_column("labels", '
        'datasets.Sequence(datasets.Value("float32")))'
    )


def test_truth_values_as_the_collator_makes_them():
    truths = multi_hot([[True, False], [False, False]])

    assert (
        "of type bool" in the_finding(check, truths, truths, head(2), batch("bool"), None).message
    )
    with pytest.raises(Unavailable):
        findings(check, truths, truths, head(2), None, None)


def test_evaluation_data_is_cast_likewise():
    found = the_finding(check, INTS, multi_hot([[0.0, 1.0, 1.0]]), head(3), None, None)
    assert found.remedy.startswith("eval_data = eval_data.cast_column")


@pytest.mark.parametrize(
    ("facts", "outputs"),
    [
        (multi_hot([[0.0, 1.0], [1.0, 1.0]]), head(2)),
        (labels([0, 1]), head(2)),
        (multi_hot([[0], [1]]), head(2)),  # a list of one label: cross-entropy takes it
        (multi_hot([[0, 1], [1, 1]], per_token=True), head(2, per_token=True)),
        (multi_hot([[0, 1], [1, 1]]), head(2, per_token=True)),
        (multi_hot([[3, 4], [7, 1]]), head(2, problem_type=REGRESSION)),
        (INTS, head(3, casts=True)),  # DeBERTa takes lists for shares of one class
    ],
)
def test_healthy(facts, outputs):
    assert not findings(check, facts, facts, outputs, None, None)


def test_a_collator_that_casts_is_believed_when_seen():
    assert not findings(check, INTS, INTS, head(3), batch("float32"), OWN)
    assert findings(check, INTS, INTS, head(3), None, collator("input_ids"))
    with pytest.raises(Unavailable, match="collator"):
        findings(check, INTS, INTS, head(3), None, OWN)


def test_casting_the_column_as_advised_works_where_map_does_not():
    datasets = pytest.importorskip("datasets")
    data = datasets.Dataset.from_dict({"labels": [[0, 1, 1]]})

    mapped = data.map(lambda row: {"labels": [float(value) for value in row["labels"]]})
    cast = data.cast_column("labels", datasets.Sequence(datasets.Value("float32")))

    assert isinstance(mapped[0]["labels"][0], int)
    assert isinstance(cast[0]["labels"][0], float)

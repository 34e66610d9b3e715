import pytest
from data_facts import batch, columns
from facts import findings, outcome, the_finding

from pipedoctor.facts import Array, Columns
from pipedoctor_checks.data.no_column_matches_the_model import (
    no_column_matches_the_model as check,
)
from pipedoctor_checks.data.raw_dataset_given import raw_dataset_given


def judge(data, seen=None):
    return findings(check, data, data, seen)


def test_ids_by_another_name_are_renamed():
    data = columns(ids="list<int64>", label="int64")
    found = the_finding(check, data, data, None)

    assert "Trainer drops ids, and label is left" in found.message
    assert found.remedy == 'train_data = train_data.rename_column("ids", "input_ids")'


def test_a_forward_that_names_nothing():
    data = columns("args kwargs label label_ids", input_ids="list<int64>", label="int64")
    (found,) = judge(data)

    assert "takes no argument by name" in found.message
    assert found.remedy.startswith("set remove_unused_columns=False")


def test_several_candidates_are_all_named():
    (found,) = judge(columns("features label", a="double", b="double", label="int64"))

    assert "whichever of a, b holds the inputs" in found.remedy


@pytest.mark.parametrize(
    "data",
    [
        columns(input_ids="list<int64>", text="string", label="int64"),
        columns("x y", x="double", y="double"),
        columns("pixel_values label", pixel_values="list<float>", label="int64"),
        Columns({"ids": "list<int64>"}, ("input_ids",), filtered=False),
        columns(),
    ],
)
def test_healthy(data):
    assert not judge(data)


def test_a_transform_that_makes_the_inputs_of_what_is_left():
    data = columns(ids="list<int64>", label="int64")

    assert not judge(data, batch())
    assert judge(data, batch(arrays={"labels": Array((4,), "int64")}))


@pytest.mark.parametrize(
    "data",
    [
        columns(text="string", label="int64"),
        columns(text="string"),
        columns(ids="list<int64>", guid="string"),
        columns(ids="list<int64>", label="int64"),
        columns("x label", text="string", label="int64"),
        columns(features="list<double>", label="int64"),
    ],
)
def test_one_of_two_checks_says_why_no_input_is_left(data):
    raw = findings(raw_dataset_given, data, data, None, None)

    assert len(judge(data)) + len(raw) == 1


def test_transformers_says_so_indeed():
    transformers = pytest.importorskip("transformers")
    datasets = pytest.importorskip("datasets")
    model = transformers.BertForSequenceClassification(
        transformers.BertConfig(
            vocab_size=50,
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
        )
    )
    data = datasets.Dataset.from_dict({"ids": [[2, 5, 3]], "target": [0]})

    told = outcome(check, model=model, train_data=data)
    (found,) = told.findings
    assert "Trainer drops ids, target, and nothing is left" in found.message

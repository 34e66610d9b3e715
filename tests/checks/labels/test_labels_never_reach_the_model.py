import pytest
from data_facts import batch, columns, forward, model
from facts import findings, the_finding

from pipedoctor.facts import Array, Forward
from pipedoctor_checks.labels.labels_never_reach_the_model import (
    labels_never_reach_the_model as check,
)


def test_a_dropped_column_is_renamed():
    data = columns(input_ids="list<int64>", sentiment="int64", text="string")
    found = the_finding(check, batch(None), model(), data, None)

    assert "no labels" in found.message
    assert "Trainer drops sentiment, text" in found.message
    assert found.remedy == 'train_data = train_data.rename_column("sentiment", "labels")'
    assert found.where.column == "sentiment"


def test_a_usual_name_is_preferred_to_other_numbers():
    data = columns(input_ids="list<int64>", year="int64", target="string")
    found = the_finding(check, batch(None), model(), data, None)

    assert '"target", "labels"' in found.remedy


def test_several_candidates_are_all_named():
    data = columns(input_ids="list<int64>", mood="int64", year="int64")
    found = the_finding(check, batch(None), model(), data, None)

    assert "whichever of mood, year holds the labels" in found.remedy
    assert found.where.column is None


def test_a_collator_that_passes_label_on():
    arrays = {"input_ids": Array((4, 8), "int64"), "label": Array((4,), "int64")}
    found = the_finding(check, batch(arrays=arrays), model(), None, None)

    assert '"label", "labels"' in found.remedy


@pytest.mark.parametrize(
    ("name", "masked"), [("GPT2LMHeadModel", False), ("BertForMaskedLM", True)]
)
def test_a_language_model_gets_its_labels_from_the_collator(name, masked):
    found = the_finding(check, batch(None), model(name), columns(input_ids="list<int64>"), None)

    assert f"DataCollatorForLanguageModeling(tokenizer, mlm={masked})" in found.remedy


@pytest.mark.parametrize(
    "facts",
    [
        (batch("int64"), model(), None, None),
        (batch(None), model(label_names=()), None, None),  # no head: another check
        (batch(None), model(accepts=("input_ids", "return_loss")), None, None),
        (batch(None), model(), None, forward(0.7)),  # a loss without labels
    ],
)
def test_healthy(facts):
    assert not findings(check, *facts)


def test_span_labels_count():
    arrays = {"start_positions": Array((4,), "int64"), "end_positions": Array((4,), "int64")}
    answering = model(label_names=("start_positions", "end_positions"))

    assert not findings(check, batch(arrays=arrays), answering, None, None)
    assert "no start_positions" in the_finding(check, batch(None), answering, None, None).message


def test_a_forward_without_a_loss_does_not_excuse():
    silent = Forward(rows=(0, 1), outputs=("logits",))
    assert findings(check, batch(None), model(), None, silent)

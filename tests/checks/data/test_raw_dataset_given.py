import pytest
from data_facts import OWN, batch, collator, columns
from facts import findings, the_finding

from pipedoctor.fact import UNKNOWN, Unavailable
from pipedoctor.facts import Array, Columns
from pipedoctor_checks.data.raw_dataset_given import raw_dataset_given as check

RAW = columns(text="string", label="int64")


def unfiltered(**types):
    return Columns(types, ("input_ids", "labels", "label"), filtered=False)


def test_text_that_was_never_tokenised():
    found = the_finding(check, RAW, RAW, None, None)

    assert found.message == (
        "The train data has the columns text, label, and no input_ids: the text was not "
        "tokenised; Trainer drops text, and label is left"
    )
    assert 'train_data.map(lambda rows: tokenizer(rows["text"], truncation=True)' in found.remedy
    assert (found.where.column, found.where.split) == ("text", "train")


def test_lists_of_words_are_text_too():
    data = columns(words="list<string>", tags="list<int64>", label="int64")
    assert not findings(check, data, data, None, None)  # tags might be ids by another name
    data = columns(words="list<item: string>", label="int64")
    assert the_finding(check, data, data, None, None).where.column == "words"


def test_evaluation_data_is_named():
    found = the_finding(check, RAW, columns(input_ids="list<int64>"), None, None)
    assert found.remedy.startswith("eval_data = eval_data.map")


@pytest.mark.parametrize(
    "data",
    [
        columns(text="string", input_ids="list<int64>", label="int64"),
        columns(text="string", ids="list<int64>", label="int64"),  # no-column-matches-the-model
        columns("pixel_values input_ids label", pixel_values="list<float>", caption="string"),
        columns("pixel_values label", name="string", label="int64"),
        columns("text label", text="string", label="int64"),  # the model takes text
        columns(values="list<double>", label="int64"),
    ],
)
def test_healthy(data):
    assert not findings(check, data, data, None, None)


def test_a_collator_may_tokenise_if_the_text_reaches_it():
    data = unfiltered(text="string", label="int64")

    assert not findings(check, data, data, OWN, batch())
    with pytest.raises(Unavailable, match="collator"):
        findings(check, data, data, OWN, None)
    assert findings(check, data, data, collator("input_ids"), None)
    seen = batch(arrays={"labels": Array((4,), "int64")})
    assert findings(check, data, data, OWN, seen)


def test_what_is_filtered_must_be_known():
    data = Columns({"text": "string"}, ("input_ids",), filtered=UNKNOWN)
    with pytest.raises(Unavailable):
        findings(check, data, data, None, None)

import pytest
from facts import findings, the_finding

from pipedoctor.facts import Array, Batch, Collator, Model
from pipedoctor_checks.labels.labels_never_reach_the_model import labels_never_reach_the_model
from pipedoctor_checks.language_models.next_tokens_without_labels import (
    next_tokens_without_labels as check,
)


def batch(*names):
    return Batch(arrays={name: Array((8, 16), "int64") for name in names}, rows=8)


def model(name="GPT2LMHeadModel", decoder_only=True, label_names=("labels",)):
    return Model(name, {}, decoder_only=decoder_only, label_names=label_names)


def test_the_collator_that_only_pads_is_named():
    collator = Collator("DataCollatorWithPadding")
    found = the_finding(check, batch("input_ids", "attention_mask"), model(), collator, None)
    assert "DataCollatorWithPadding makes attention_mask, input_ids and no labels" in found.message
    assert "mlm=False" in found.remedy


def test_the_same_fault_in_general_words_is_folded_under_it():
    assert labels_never_reach_the_model.code in check.explains


@pytest.mark.parametrize(
    ("arrays", "a_model"),
    [
        (("input_ids", "labels"), model()),
        (("input_ids",), model("GPT2ForSequenceClassification")),
        (("input_ids",), model("BertForMaskedLM", decoder_only=False)),
        (("input_ids",), model("GPT2Model", label_names=())),
        (("pixel_values",), model()),
    ],
)
def test_what_is_no_fault_of_this_kind(arrays, a_model):
    assert findings(check, batch(*arrays), a_model, None, None) == []

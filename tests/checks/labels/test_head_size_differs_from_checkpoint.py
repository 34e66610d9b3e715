import re

import pytest
from data_facts import head, model
from facts import findings, settings, the_finding

from pipedoctor.facts import ModelFiles, Tensor
from pipedoctor_checks.labels.head_size_differs_from_checkpoint import (
    head_size_differs_from_checkpoint as check,
)


def files(architecture="BertForSequenceClassification", **tensors):
    shapes = {name.replace("__", "."): Tensor(shape, "F32") for name, shape in tensors.items()}
    return ModelFiles("out/mnli", "out/mnli", {"architectures": [architecture]}, shapes)


MNLI = files(classifier__weight=(3, 768), classifier__bias=(3,))


def test_both_shapes_are_told():
    found = the_finding(check, MNLI, head(2), None, None)

    assert "classifier.weight has the shape (3, 768) in out/mnli" in found.message
    assert "this run asks for (2, 768): 3 outputs against 2" in found.message
    assert found.remedy.startswith("ignore_mismatched_sizes=True in from_pretrained")
    assert found.alternatives[0].startswith("num_labels=3")


def test_a_script_that_takes_the_argument_gets_it_in_the_config():
    known = settings(script_keys=["ignore_mismatched_sizes"])
    found = the_finding(check, MNLI, head(2), known, None)

    assert found.remedy.startswith('set "ignore_mismatched_sizes": true')


@pytest.mark.parametrize(
    ("architecture", "name"),
    [
        ("RobertaForSequenceClassification", "classifier__out_proj__weight"),
        ("LlamaForSequenceClassification", "score__weight"),
        ("XLNetForSequenceClassification", "logits_proj__weight"),
        ("BartForSequenceClassification", "classification_head__out_proj__weight"),
    ],
)
def test_each_family_has_its_own_name(architecture, name):
    assert the_finding(check, files(architecture, **{name: (5, 16)}), head(2), None, None)


@pytest.mark.parametrize(
    ("checkpoint", "outputs", "known"),
    [
        (MNLI, head(3), None),
        (MNLI, head(2), settings(ignore_mismatched_sizes=True)),
        (files("BertModel", pooler__dense__weight=(768, 768)), head(2), None),
        (files("BertForMaskedLM", cls__predictions__decoder__weight=(30522, 768)), head(2), None),
        # a head for another task: in some families its layers are called otherwise
        (MNLI, head(9, per_token=True), None),
        (files(classifier__dense__weight=(768, 768)), head(2), None),
    ],
)
def test_healthy(checkpoint, outputs, known):
    assert not findings(check, checkpoint, outputs, known, None)


def test_transformers_refuses_indeed(tmp_path):
    transformers = pytest.importorskip("transformers")
    config = transformers.BertConfig(
        vocab_size=50,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        num_labels=3,
    )
    model = transformers.BertForSequenceClassification
    model(config).save_pretrained(tmp_path)

    with pytest.raises(RuntimeError) as caught:
        model.from_pretrained(tmp_path, num_labels=2)
    assert any(re.search(pattern, str(caught.value)) for pattern in check.symptoms)
    loaded = model.from_pretrained(tmp_path, num_labels=2, ignore_mismatched_sizes=True)
    assert loaded.config.num_labels == 2


def test_a_model_that_is_loaded_was_told_that_its_old_head_may_go():
    assert findings(check, MNLI, head(2), None, model()) == []

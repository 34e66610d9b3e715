import pytest
from data_facts import forward, labels, model, multi_hot
from facts import findings, the_finding

from pipedoctor.facts import Forward
from pipedoctor_checks.labels.model_without_head import model_without_head as check

HIDDEN = Forward(rows=(0, 1), outputs=("last_hidden_state", "pooler_output"))
BASE = model("BertModel", label_names=())


@pytest.mark.parametrize(
    ("told", "advice"),
    [
        (None, "AutoModelForSequenceClassification.from_pretrained(checkpoint, num_labels=N)"),
        (labels([0, 1, 2]), "ForSequenceClassification.from_pretrained(checkpoint, num_labels=3)"),
        (labels([0.3, 2.0]), "num_labels=1"),
        (multi_hot([[0.0, 1.0, 1.0]]), "num_labels=3"),
        (labels([0, 1, -100], per_token=True), "ForTokenClassification.from_pretrained"),
    ],
)
def test_the_head_to_load_follows_from_the_labels(told, advice):
    found = the_finding(check, BASE, HIDDEN, told)

    assert found.message == (
        "BertModel returned last_hidden_state, pooler_output and no loss: it has no head"
    )
    assert advice in found.remedy


@pytest.mark.parametrize(
    ("built", "answer"),
    [
        (model(), forward(0.7)),
        (BASE, forward(0.7, outputs=("loss", "last_hidden_state"))),  # a loss computed elsewhere
        (model("MyNetwork", label_names=()), Forward(rows=(0,), outputs=("logits",))),
        (model(), HIDDEN),  # labels are taken: labels-never-reach-the-model
    ],
)
def test_healthy(built, answer):
    assert not findings(check, built, answer, None)

from math import inf, log, nan

import pytest
from data_facts import batch, forward, head, labels, model, table
from facts import findings, outcome, the_finding
from resources import minilm, reuters

from pipedoctor.fact import UNKNOWN, Unavailable
from pipedoctor.facts import Forward
from pipedoctor.facts.head import MULTI, REGRESSION
from pipedoctor.report import Status
from pipedoctor_checks.loss.loss_at_start_far_from_chance import (
    loss_at_start_far_from_chance as check,
)

ENCODER = model(parameters=table("classifier.weight", 3, 384))
DECODER = model(decoder_only=True, parameters=table("score.weight", 3, 4096))
EVEN = (0.0, 1.0, 2.0, 0.0, 1.0, 2.0, 0.0, 1.0)


def judge(start, outputs=None, built=ENCODER, told=None, seen=None):
    return findings(check, start, outputs or head(3, new=True), told, seen, built)


def test_a_new_head_far_above_chance():
    (found,) = judge(forward(12.5))

    assert found.message == (
        "The loss of the first 8 rows is 12.50; guessing among 3 classes gives 1.10, and healthy "
        "heads start below 4.10"
    )
    assert "torch.nn.init.normal_(model.classifier.weight, std=0.02)" in found.remedy
    assert found.evidence["chance"] == pytest.approx(log(3))


def test_a_loss_that_is_summed():
    start = forward(8 * log(3), row_losses=[log(3)] * 8)
    assert 'reduction="mean"' in judge(start)[0].remedy


def test_a_trained_head_with_its_labels_in_another_order():
    outputs = head(3, new=False, names={0: "yes", 1: "no", 2: "perhaps"})
    told = labels([0, 1, 2], names={0: "no", 1: "yes", 2: "perhaps"})
    found = the_finding(check, forward(4.2), outputs, told, None, ENCODER)

    assert 'align_labels_with_mapping(model.config.label2id, "label")' in found.remedy
    assert "the head has 0 yes, 1 no, 2 perhaps, the data 0 no, 1 yes, 2 perhaps" in found.remedy


def test_a_trained_head_may_be_sure_and_wrong_in_a_few_rows():
    few = forward(2.5, row_losses=[10.0, 10.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    most = forward(6.25, row_losses=[10.0] * 5 + [0.0] * 3)

    assert not judge(few, head(3, new=False))
    assert judge(most, head(3, new=False))
    assert not judge(few, head(3))  # it is not known whether it is new


def test_a_new_head_that_has_seen_the_answer():
    (found,) = judge(forward(0.05, labels=EVEN))

    assert "0.05 with a head that was never trained" in found.message
    assert "look for the labels among the model's inputs" in found.remedy


@pytest.mark.parametrize(
    ("start", "outputs", "built"),
    [
        (forward(1.10, labels=EVEN), head(3, new=True), ENCODER),
        (forward(4.0, labels=EVEN), head(3, new=True), ENCODER),  # as ModernBERT's may
        (forward(9.5, labels=EVEN), head(3, new=True), model("T5ForTokenClassification")),
        (forward(0.7, labels=EVEN), head(3, new=True), ENCODER),
        (forward(0.05, labels=EVEN), head(3, new=False), ENCODER),  # trained before
        (forward(0.05, labels=EVEN), head(3), ENCODER),  # perhaps trained before
        (forward(0.05, labels=(1.0,) * 8), head(3, new=True), ENCODER),  # one class only
        (forward(5.5, labels=EVEN), head(3, new=True), DECODER),
        (forward(0.05, labels=EVEN), head(3, new=True), DECODER),
        (forward(5.5), head(3, new=True), model(decoder_only=UNKNOWN)),
        (forward(5.5), head(3, new=True), None),
        (forward(500.0), head(1, new=True), ENCODER),
        (forward(500.0), head(3, new=True, problem_type=REGRESSION), ENCODER),
        (forward(nan), head(3, new=True), ENCODER),
        (forward(inf), head(3, new=True), ENCODER),
        (forward(0.69), head(3, new=True, problem_type=MULTI), ENCODER),
    ],
)
def test_healthy(start, outputs, built):
    assert not judge(start, outputs, built)


def test_several_labels_a_row_are_a_question_each():
    (found,) = judge(forward(9.0), head(3, new=True), seen=batch("float32"))
    assert "guessing among yes or no gives 0.69" in found.message


def test_the_wider_the_head_the_wider_the_spread():
    wide = model(parameters=table("classifier.weight", 3, 4096))

    assert not judge(forward(5.5), built=wide)
    assert judge(forward(6.5), built=wide)


def test_a_language_model_is_judged_by_its_vocabulary():
    outputs = head(30_522, per_token=True, new=True)
    lm = model("GPT2LMHeadModel", decoder_only=True, parameters=table("wte.weight", 30_522, 768))

    assert not judge(forward(10.5), outputs, lm)
    assert "guessing among 30,522 classes" in judge(forward(14.0), outputs, lm)[0].message


def test_rows_without_a_label_have_no_loss():
    start = forward(5.0, row_losses=[nan] * 4 + [5.0] * 4)
    assert judge(start, head(3, new=False))


def test_what_is_not_known_is_not_judged():
    silent = Forward(rows=(0, 1), outputs=("logits",))
    unexplained = Forward(rows=(0, 1), outputs=("loss", "logits"), loss=5.0)

    with pytest.raises(Unavailable):
        judge(silent)
    with pytest.raises(Unavailable):
        judge(unexplained, head(3))  # whether most rows are wrong can't be told
    assert judge(unexplained, head(3, new=True))


@pytest.mark.parametrize("classes", [2, 3, 8, 20])
def test_new_heads_on_a_real_model_and_real_texts(classes):
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    texts = reuters()[::300][:16]
    words = transformers.AutoTokenizer.from_pretrained(minilm())
    names = sorted({label for label, _ in texts})
    data = [
        {**words(text, truncation=True, max_length=32), "label": names.index(label) % classes}
        for label, text in texts
    ]
    torch.manual_seed(classes)
    built = transformers.AutoModelForSequenceClassification.from_pretrained(
        minilm(), num_labels=classes
    )
    parts = {"model": built, "tokenizer": words, "train_data": data, "settings": {}}

    assert outcome(check, **parts).status is Status.PASSED
    torch.nn.init.normal_(built.classifier.weight, std=20.0)
    assert outcome(check, **parts).status is Status.FOUND

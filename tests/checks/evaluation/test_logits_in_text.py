import pytest
from facts import outcome

from pipedoctor_checks.evaluation.metrics_given_logits import metrics_given_logits as check

SCRIPT = """import evaluate
import numpy as np
from transformers import Trainer, Seq2SeqTrainer
metric = evaluate.load({load})
def measure(eval_pred):
    logits, labels = eval_pred
    {first}
    return metric.compute(predictions={given}, references=labels)
trainer = {trainer}(model, compute_metrics=measure{more})
trainer.train()
"""


def found(load='"accuracy"', first="pass", given="logits", trainer="Trainer", more=""):
    text = SCRIPT.format(load=load, first=first, given=given, trainer=trainer, more=more)
    return outcome(check, script=text).findings


def test_the_predictions_as_they_come():
    (finding,) = found()
    assert finding.remedy == "logits = np.argmax(logits, axis=-1) before line 8"


def test_by_the_name_of_the_field():
    assert found(given="eval_pred.predictions")


@pytest.mark.parametrize(
    "changed",
    [
        {"first": "logits = np.argmax(logits, axis=-1)"},
        {"given": "logits.argmax(-1)"},
        {"first": "logits = logits > 0.5"},
        {"more": ", preprocess_logits_for_metrics=choose"},
        {"load": '"mse"'},
        {"load": '"glue", "stsb"'},
        {"load": "name"},
        {"trainer": "Seq2SeqTrainer"},
        {"first": "logits = choose(logits)"},
    ],
)
def test_what_is_no_fault(changed):
    assert found(**changed) == ()

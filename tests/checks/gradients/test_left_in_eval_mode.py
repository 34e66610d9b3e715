import pytest
from facts import outcome

from pipedoctor_checks.gradients.left_in_eval_mode import left_in_eval_mode as check

HEAD = """import torch
from torch import nn
model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
"""
EPOCHS = """for epoch in range(3):
    for x in data:
        optimizer.zero_grad()
        model(x).sum().backward()
        optimizer.step()
"""


def found(text, head=HEAD):
    return outcome(check, script=head + text).findings


def test_before_the_training():
    (finding,) = found("model.eval()\n" + EPOCHS)
    assert (finding.evidence["eval"], finding.evidence["backward"]) == (5, 9)
    assert "Dropout" in finding.message


def test_at_the_end_of_an_epoch():
    assert found(EPOCHS + "    model.eval()\n")


def test_in_a_function_that_evaluates():
    text = "def evaluate(model):\n    model.eval()\n    return model(1)\n"
    assert found(text + EPOCHS + "    evaluate(model)\n")


@pytest.mark.parametrize(
    "text",
    [
        "model.eval()\nmodel.train()\n" + EPOCHS,
        EPOCHS.replace("    for", "    model.train()\n    for") + "    model.eval()\n",
        EPOCHS + "model.eval()\n",
        "teacher = nn.Dropout(0.1)\nteacher.eval()\n" + EPOCHS,
        "if only_test:\n    model.eval()\n" + EPOCHS,
        "model.eval()\nmodel.training = True\n" + EPOCHS,
        "def evaluate(model):\n    if model.training:\n        model.eval()\n"
        + EPOCHS
        + "    evaluate(model)\n",
        "ready = model.eval\n" + EPOCHS,
    ],
)
def test_what_is_no_fault(text):
    assert found(text) == ()


def test_a_model_that_works_the_same_in_both_modes():
    assert found("model.eval()\n" + EPOCHS, HEAD.replace(", nn.Dropout(0.1)", "")) == ()

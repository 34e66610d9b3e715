import pytest
from facts import outcome

from pipedoctor.finding import Severity
from pipedoctor_checks.loss.activation_and_loss_disagree import (
    activation_and_loss_disagree as check,
)

HEAD = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n"
NET = """class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 3)
        self.last = {}
    def forward(self, x):
        x = self.fc(x)
        {}
model = Net().to("cpu")
"""


def found(text):
    return outcome(check, script=HEAD + text).findings


@pytest.mark.parametrize(
    ("last", "body"),
    [
        ("nn.Softmax(dim=1)", "return self.last(x)"),
        ("None", "return F.softmax(x, dim=1)"),
        ("None", "return torch.softmax(x, dim=1).squeeze()"),
        ("None", "x = x.softmax(-1)\n        return x"),
    ],
)
def test_softmax_in_the_model(last, body):
    (finding,) = found(NET.format(last, body) + "loss = nn.CrossEntropyLoss()(model(x), y)")
    assert finding.evidence["output"] == "softmax"
    assert "delete the softmax" in finding.remedy


@pytest.mark.parametrize(
    "call", ["F.cross_entropy(torch.softmax(s, 1), y)", "nn.CrossEntropyLoss()(F.softmax(s), y)"]
)
def test_softmax_before_the_loss(call):
    (finding,) = found(f"loss = {call}")
    assert finding.where.line == 4


def test_sigmoid_twice():
    text = "c = nn.BCEWithLogitsLoss()\nloss = c(torch.sigmoid(s), y)"
    assert found(text)[0].evidence["output"] == "sigmoid"


@pytest.mark.parametrize("loss", ["NLLLoss", "BCELoss"])
def test_scores_where_probabilities_are_taken(loss):
    (finding,) = found(
        f"m = nn.Sequential(nn.ReLU(), nn.Linear(4, 2))\nloss = nn.{loss}()(m(x), y)"
    )
    assert finding.severity is Severity.ERROR


def test_a_model_that_is_trained_and_evaluated_is_told_of_once():
    text = "m = nn.Sequential(nn.Softmax(1))\nc = nn.CrossEntropyLoss()\nc(m(x), y)\nc(m(v), w)"
    assert len(found(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        NET.format("None", "return x") + "nn.CrossEntropyLoss()(model(x), y)",
        NET.format("None", "return F.log_softmax(x, 1)") + "nn.NLLLoss()(model(x), y)",
        NET.format("None", "return F.log_softmax(x, 1)") + "nn.CrossEntropyLoss()(model(x), y)",
        NET.format("None", "return torch.sigmoid(x)") + "nn.BCELoss()(model(x), y)",
        NET.format(
            "None", "if self.training:\n            return x\n        return F.softmax(x, 1)"
        )
        + "nn.CrossEntropyLoss()(model(x), y)",
        NET.format("None", "return x, F.softmax(x, 1)") + "nn.CrossEntropyLoss()(model(x)[0], y)",
        "F.nll_loss(torch.log(F.softmax(s, 1)), y)",
        "F.kl_div(F.log_softmax(s, 1), F.softmax(t, 1))",
        "loss = F.cross_entropy(s, F.softmax(t, 1))",
        "p = F.softmax(s, 1)\nloss = F.cross_entropy(s, y)",
        "def unused(s, y):\n    return F.cross_entropy(F.softmax(s, 1), y)",
        "from mine import Net\nF.cross_entropy(Net()(x), y)",
    ],
)
def test_what_is_no_fault(text):
    assert found(text) == ()

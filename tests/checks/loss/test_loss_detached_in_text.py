import pytest
from facts import outcome

from pipedoctor.report import Status
from pipedoctor_checks.loss.loss_detached_from_the_model import (
    loss_detached_from_the_model as check,
)

HEAD = "import torch\ncriterion = torch.nn.CrossEntropyLoss()\nloss = criterion(model(x), y)\n"


def told(text):
    return outcome(check, script=HEAD + text)


def test_a_loss_that_is_made_anew():
    outcome = told("loss = torch.tensor(loss.item(), requires_grad=True)\nloss.backward()")
    (finding,) = outcome.findings
    assert outcome.status is Status.FOUND
    assert "no weight moves" in finding.message
    assert finding.where.line == 4


def test_a_loss_that_is_detached_and_handed_to_accelerate():
    (finding,) = told("loss = loss.detach()\naccelerator.backward(loss)").findings
    assert finding.evidence["requires_grad"] is False


@pytest.mark.parametrize(
    "text",
    [
        "loss.backward()",
        "number = torch.tensor(loss.item())\nloss.backward()",
        "w = torch.tensor(2.0, requires_grad=True)\nw.backward()",
        "w = torch.tensor(start, requires_grad=True)\ny = w * w\ny.backward()",
        "if other:\n    loss = torch.tensor(a.item(), requires_grad=False)\nprint(loss.detach())",
    ],
)
def test_what_is_no_fault(text):
    assert told(text).findings == ()

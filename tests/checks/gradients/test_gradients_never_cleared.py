import pytest
from facts import outcome

from pipedoctor.finding import Severity
from pipedoctor_checks.gradients.gradients_never_cleared import gradients_never_cleared as check

HEAD = """import torch
from torch import nn, optim
model = nn.Linear(2, 2)
optimizer = optim.AdamW(model.parameters())
"""
LOOP = "for x, y in data:\n    loss = model(x).sum()\n    loss.backward()\n    optimizer.step()\n"


def found(text, head=HEAD):
    return outcome(check, script=head + text).findings


def test_both_lines_are_named_and_the_cure_stands_before_them():
    (finding,) = found(LOOP)
    assert (finding.evidence["backward"], finding.evidence["step"]) == (7, 8)
    assert finding.remedy == "put optimizer.zero_grad() before line 7, in the same loop"
    assert finding.where.line == 8


def test_a_comment_clears_nothing():
    assert found(LOOP.replace("    loss.b", "    # optimizer.zero_grad()\n    loss.b"))


def test_a_step_of_a_function_that_a_loop_calls():
    text = "def step(x):\n    model(x).sum().backward()\n    optimizer.step()\nfor x in data:\n    step(x)\n"
    assert found(text)


def test_through_a_scaler():
    text = LOOP.replace("optimizer.step()", "scaler.step(optimizer)\n    scaler.update()")
    assert found("scaler = torch.amp.GradScaler()\n" + text)


def test_what_accelerate_makes_of_an_optimizer():
    text = "from accelerate import Accelerator\na = Accelerator()\nmodel, optimizer = a.prepare(model, optimizer)\n"
    assert found(text + LOOP.replace("loss.backward()", "a.backward(loss)"))


def test_in_a_branch_it_warns():
    (finding,) = found("if train:\n" + "".join(f"    {line}\n" for line in LOOP.splitlines()))
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize(
    "text",
    [
        LOOP + "    optimizer.zero_grad()\n",
        LOOP + "    model.zero_grad(set_to_none=True)\n",
        LOOP + "    for p in model.parameters():\n        p.grad = None\n",
        LOOP + "    for p in model.parameters():\n        p.grad.zero_()\n",
        "def clear(o):\n    o.zero_grad()\n" + LOOP + "    clear(optimizer)\n",
        "from mine import clear\n" + LOOP + "    clear(optimizer)\n",
        "loss = model(x).sum()\nloss.backward()\noptimizer.step()\n",
        "def unused():\n" + "".join(f"    {line}\n" for line in LOOP.splitlines()),
        "for x in data:\n    optimizer.step(closure)\n",
        "for x in data:\n    engine.backward(x)\n    engine.step()\n",
        "for seed in seeds:\n    o = optim.SGD(make(seed))\n    model(seed).sum().backward()\n    o.step()\n",
        "s = optim.lr_scheduler.StepLR(optimizer, 1)\nfor x in data:\n    s.step()\n",
    ],
)
def test_what_is_no_fault(text):
    assert found(text) == ()


def test_an_optimizer_of_ones_own_may_clear_them():
    assert found(LOOP, HEAD.replace("optim.AdamW", "Mine")) == ()

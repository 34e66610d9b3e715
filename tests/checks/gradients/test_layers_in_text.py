"""Layers in a list, and a model that changes under its optimizer, seen in a script's text."""

import pytest
from facts import outcome

from pipedoctor.report import Status
from pipedoctor_checks.gradients.parameters_not_in_the_optimizer import (
    parameters_not_in_the_optimizer as optimizer_check,
)
from pipedoctor_checks.gradients.parameters_not_registered import (
    parameters_not_registered as list_check,
)

CLASS = """import torch
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        {}
    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x
{}
"""


def listed(line, after=""):
    return outcome(list_check, script=CLASS.format(line, after))


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        ("self.layers = [nn.Linear(2, 2)]", "self.layers = nn.ModuleList([nn.Linear(2, 2)])"),
        (
            "self.layers = [nn.Linear(2, 2) for _ in range(3)]",
            "self.layers = nn.ModuleList([nn.Linear(2, 2) for _ in range(3)])",
        ),
        (
            "self.layers = []\n        self.layers.append(nn.Linear(2, 2))",
            "self.layers = nn.ModuleList()",
        ),
    ],
)
def test_the_list_becomes_one_that_registers(line, remedy):
    (finding,) = listed(line).findings
    assert finding.remedy == remedy
    assert finding.where.line == 6


def test_a_sequential_of_another_list_registers_nothing_of_it():
    blocks = "blocks = [nn.ReLU()]\n        self.body = nn.Sequential(*blocks)"
    assert listed(f"{blocks}\n        self.layers = [nn.Linear(2, 2)]").findings


def test_a_sequential_of_the_same_list_registers_it():
    same = "self.layers = blocks = [nn.Linear(2, 2)]\n        self.body = nn.Sequential(*blocks)"
    assert not listed(same).findings


def test_a_layer_of_a_class_of_the_script():
    assert listed("self.layers = [Block()]", "class Block(nn.Module):\n    pass").findings


@pytest.mark.parametrize(
    ("line", "after"),
    [
        ("self.layers = nn.ModuleList([nn.Linear(2, 2)])", ""),
        ("self.a = nn.Linear(2, 2)\n        self.layers = [self.a]", ""),
        ("self.layers = [2, 3]", ""),
        ("self.layers = [nn.Linear(2, 2)]\n        self.s = nn.Sequential(*self.layers)", ""),
        ("self.layers = [nn.Linear(2, 2)]\n        self.add_module('0', self.layers[0])", ""),
        ("self.layers = [nn.Linear(2, 2)]", "optimizer = make(net.layers[0].parameters())"),
        ("self.layers = [nn.Linear(2, 2)(x) for x in y]", ""),
        ("layers = [nn.Linear(2, 2)]\n        self.layers = nn.Sequential(*layers)", ""),
    ],
)
def test_lists_that_are_no_fault(line, after):
    told = listed(line, after)
    assert told.findings == ()
    assert told.status is Status.SKIPPED  # the text can't acquit: that takes a backward pass


HEAD = """import torch, peft
from torch import nn
from torchvision.models import resnet18
model = resnet18()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
"""


def changed(text, head=HEAD):
    return outcome(optimizer_check, script=head + text).findings


@pytest.mark.parametrize(
    "text", ["model.fc = nn.Linear(512, 2)", "model = peft.get_peft_model(model, config)"]
)
def test_a_change_after_the_optimizer_was_made(text):
    (finding,) = changed(text)
    assert (finding.evidence["optimizer"], finding.evidence["changed"]) == (5, 6)


@pytest.mark.parametrize(
    "text",
    [
        "model.to('cuda')",
        "model.resize_token_embeddings(9)",
        "model.fc = nn.Linear(512, 2)\noptimizer = torch.optim.SGD(model.parameters())",
        "model.fc = nn.Linear(512, 2)\noptimizer.add_param_group({'params': model.fc.parameters()})",
        "if small:\n    model.fc = nn.Linear(512, 2)",
        "other = resnet18()\nother.fc = nn.Linear(512, 2)",
        "model.name = 'x'",
    ],
)
def test_changes_that_are_no_fault(text):
    assert changed(text) == ()


def test_a_layer_that_is_replaced_before():
    head = HEAD.replace("optimizer =", "model.fc = nn.Linear(512, 2)\noptimizer =")
    assert changed("", head) == ()

import pytest
from facts import outcome

from pipedoctor.facts import Loop, Pace, Script
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline
from pipedoctor.probes.script import reader
from pipedoctor_checks.hyperparameters.scheduler_steps_at_the_wrong_pace import (
    scheduler_steps_at_the_wrong_pace as check,
)
from pipedoctor_checks.hyperparameters.smoothing_left_out_by_own_loss import (
    smoothing_left_out_by_own_loss as smoothing,
)

LOOP = """
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, OneCycleLR, StepLR
from transformers import get_linear_schedule_with_warmup as linear, get_scheduler
total = {total}
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
schedule = {schedule}
for epoch in range({epochs}):
    for batch in train_loader:
        optimizer.zero_grad()
        model(batch).backward()
        optimizer.step()
        {inner}
    {outer}
"""
STEP = "schedule.step()"


def findings(schedule, *, epoch, total="len(train_loader) * epochs", epochs="epochs", step=STEP):
    places = ("pass", step) if epoch else (step, "pass")
    text = LOOP.format(
        total=total, schedule=schedule, epochs=epochs, inner=places[0], outer=places[1]
    )
    return outcome(check, script=text).findings


@pytest.mark.parametrize(
    "schedule",
    [
        "linear(optimizer, 0, len(train_loader) * 3)",
        "linear(optimizer, num_warmup_steps=5, num_training_steps=total)",
        'get_scheduler("linear", optimizer, 0, total)',
        "OneCycleLR(optimizer, 0.1, epochs=epochs, steps_per_epoch=len(train_loader))",
    ],
)
def test_batches_are_counted_and_epochs_are_stepped(schedule):
    (finding,) = findings(schedule, epoch=True)
    assert finding.remedy == (
        "move schedule.step() into the loop of line 9, behind optimizer.step()"
    )
    assert not findings(schedule, epoch=False)


def test_epochs_are_counted_and_batches_are_stepped():
    (finding,) = findings("CosineAnnealingLR(optimizer, epochs)", epoch=False)
    assert finding.message.startswith("The schedule of line 7 ends after epochs steps")
    assert not findings("CosineAnnealingLR(optimizer, epochs)", epoch=True)


@pytest.mark.parametrize(
    ("schedule", "more"),
    [
        ("StepLR(optimizer, 30)", {"epoch": False}),
        ("CosineAnnealingLR(optimizer, total)", {"epoch": False}),
        ("CosineAnnealingLR(optimizer, epochs)", {"epoch": False, "epochs": "epochs * 5"}),
        ("linear(optimizer, 0, total)", {"epoch": True, "total": "epochs"}),
        ("linear(optimizer, 0, total)", {"epoch": True, "step": "if late: schedule.step()"}),
        ("linear(optimizer, 0, steps)", {"epoch": True}),
    ],
)
def test_what_counts_is_not_certain(schedule, more):
    assert not findings(schedule, **more)


TRAINER = """
from torch import nn
import torch
from transformers import Trainer
criterion = FocalLoss()

class Own(Trainer):
    def compute_loss(self, model, inputs, return_outputs=False, **kwargs):
        outputs = model(**inputs)
        {body}

Own(model, args).train()
"""


def smoothed(body, factor=0.1):
    script, settings = TRAINER.format(body=body), {"label_smoothing_factor": factor}
    parts = {"script": script, "settings": settings, "environment": {"transformers": "5.23.0"}}
    return outcome(smoothing, **parts).findings


CROSS = "return nn.functional.cross_entropy(outputs.logits, inputs['labels'])"


@pytest.mark.parametrize("body", [CROSS, "return nn.CrossEntropyLoss()(outputs.logits, y)"])
def test_a_loss_of_its_own_does_not_smooth(body):
    (finding,) = smoothed(body)
    assert finding.evidence == {"label_smoothing_factor": 0.1, "class": "Own"}
    assert not smoothed(body, 0.0)


@pytest.mark.parametrize(
    "body",
    [
        "return super().compute_loss(model, inputs)",
        "return self.label_smoother(outputs, inputs['labels'])",
        "return nn.functional.cross_entropy(x, y, label_smoothing=0.1)",
        "return self.my_loss(nn.functional.cross_entropy(x, y))",
        "return criterion(outputs.logits, inputs['labels'])",
        "return outputs.loss",
    ],
)
def test_what_may_smooth_is_left_alone(body):
    assert not smoothed(body)


@pytest.mark.parametrize(
    ("calls", "spent", "told"),
    [(199, 150, True), (199, 30, False), (199, 19, False), (10, 150, False)],
    ids=["long gone", "a short end", "the end", "stepped now and then"],
)
def test_a_rate_that_has_gone_long_before_the_end(calls: int, spent: int, told: bool) -> None:
    pace = Pace("StepLR", "", calls, 200, first_rate=0.1, last_rate=1e-7, spent=spent)
    loop = Loop((), 200, (), paces=(pace,))
    text = Pipeline(Parts({"script": "import torch\n"}), [reader.script]).fact(Script)
    found = list(check(text, loop))
    assert bool(found) is told
    if told:
        assert "the last 150 steps" in found[0].message

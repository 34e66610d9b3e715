"""Runs that learn nothing, each with its one cause named first, as training then shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

import pipedoctor

ROWS = [{"input_ids": [2, 5 + n, 3, 7], "labels": n % 2} for n in range(16)]


class ReturningNumbers(transformers.Trainer):
    """Its `compute_loss` forgets how the loss came about, in one way or another."""

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        outputs = model(**inputs)
        loss = self.way(outputs.loss)
        return (loss, outputs) if return_outputs else loss

    way: Callable[[Any], Any]


def trainer(folder: Path, model: Any, kind: Any = transformers.Trainer, **more: Any) -> Any:
    stated = transformers.TrainingArguments(
        output_dir=str(folder),
        report_to="none",
        use_cpu=True,
        max_steps=2,
        logging_steps=1,
        save_strategy="no",
        disable_tqdm=True,
    )
    return kind(model=model, args=stated, train_dataset=ROWS, **more)


def codes(report: Any) -> list[str]:
    return [entry.rule.code for entry in report.entries]


@pytest.mark.parametrize(
    ("way", "raises"),
    [
        (lambda loss: torch.tensor(loss.item()), "element 0 of tensors does not require grad"),
        (lambda loss: loss.detach(), "element 0 of tensors does not require grad"),
        (lambda loss: loss.item(), "'float' object has no attribute"),
        (lambda loss: loss.detach().requires_grad_(), None),
    ],
    ids=["torch.tensor", "detach", "item", "detach and requires_grad"],
)
def test_a_loss_that_is_detached(
    tiny: Callable[..., Any], tmp_path: Path, way: Any, raises: str | None
) -> None:
    subject = trainer(tmp_path, tiny(), ReturningNumbers)
    subject.way = way
    report = pipedoctor.examine(subject)
    assert codes(report) == ["LOS012"]
    before = {n: p.detach().clone() for n, p in subject.model.named_parameters()}
    if raises is not None:
        with pytest.raises((RuntimeError, AttributeError), match=raises):
            subject.train()
    else:
        subject.train()
        now = subject.model.named_parameters()
        assert all(torch.equal(before[name], value) for name, value in now)


def test_a_model_that_is_frozen(tiny: Callable[..., Any], tmp_path: Path) -> None:
    subject = trainer(tmp_path, tiny().requires_grad_(False))
    report = pipedoctor.examine(subject)
    assert codes(report) == ["GRD006"]
    with pytest.raises(RuntimeError, match="element 0 of tensors does not require grad"):
        subject.train()


def test_an_optimizer_of_the_model_before_it_was_moved(
    tiny: Callable[..., Any], tmp_path: Path
) -> None:
    model = tiny()
    old = torch.optim.AdamW(tiny().parameters(), lr=1e-2)
    constant = torch.optim.lr_scheduler.ConstantLR(old)
    subject = trainer(tmp_path, model, optimizers=(old, constant))
    report = pipedoctor.examine(subject)
    assert codes(report) == ["GRD004"]
    assert "holds none of the 25 trainable parameters" in report.entries[0].finding.message
    before = {n: p.detach().clone() for n, p in model.named_parameters()}
    subject.train()
    assert all(torch.equal(before[name], value) for name, value in model.named_parameters())


def test_a_layer_in_a_list_is_neither_trained_nor_saved(tmp_path: Path) -> None:
    class Listing(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = torch.nn.Embedding(50, 4)
            self.layers = [torch.nn.Linear(4, 4)]
            self.head = torch.nn.Linear(4, 2)

        def forward(self, input_ids: Any, labels: Any = None) -> Any:
            logits = self.head(self.layers[0](self.table(input_ids).mean(1)))
            loss = torch.nn.functional.cross_entropy(logits, labels)
            return {"loss": loss, "logits": logits}

    subject = trainer(tmp_path, Listing())
    report = pipedoctor.examine(subject)
    assert codes(report) == ["GRD005"]
    (finding,) = [entry.finding for entry in report.entries]
    assert finding.where.layer == "layers"
    layer = subject.model.layers[0]
    before = layer.weight.detach().clone()
    subject.train()
    assert torch.equal(layer.weight, before)
    assert not any("layers" in name for name in subject.model.state_dict())

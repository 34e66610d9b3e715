"""Each fault in each way to train: operation, line, layer and rows, all of them right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nan_faults import FAULTS, GUILTY, Fault, Model, data, traced, verify

from pipedoctor import frameworks

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

pytestmark = pytest.mark.deep

EVERY = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)


def trainer(model: Any, rows: Any, folder: Path, **stated: Any) -> Any:
    arguments = transformers.TrainingArguments(
        str(folder), per_device_train_batch_size=8, report_to="none", use_cpu=True, **stated
    )
    return transformers.Trainer(model=model, args=arguments, train_dataset=rows)


class Adapted(torch.nn.Module):
    """A model within another, as PEFT has it."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.base_model = model
        for parameter in model.words.parameters():
            parameter.requires_grad_(False)

    def get_base_model(self) -> Any:
        return self.base_model

    def forward(self, *words: Any, **keywords: Any) -> Any:
        return self.base_model(*words, **keywords)


@EVERY
def test_plain(fault: Fault) -> None:
    verify(traced(model=Model(fault.head), train_data=data()), fault)


@EVERY
def test_gradient_checkpointing(fault: Fault) -> None:
    verify(traced(model=Model(fault.head, checkpointed=True), train_data=data()), fault)


class Reentrant(Model):
    """The model with the older way of checkpointing, whose backward pass runs another one."""

    def forward(self, input_ids: Any, weight: Any, labels: Any = None) -> Any:
        h = torch.tanh(self.body(self.dropout(self.words(input_ids).mean(1))))
        logits = torch.utils.checkpoint.checkpoint(self.head, h, weight, use_reentrant=True)
        return {"loss": torch.nn.functional.cross_entropy(logits, labels), "logits": logits}


@EVERY
def test_reentrant_checkpointing(fault: Fault) -> None:
    verify(traced(model=Reentrant(fault.head), train_data=data()), fault)


@EVERY
def test_accumulation(fault: Fault) -> None:
    settings = {"gradient_accumulation_steps": 4, "per_device_train_batch_size": 8}
    found = traced({"steps": 2}, model=Model(fault.head), train_data=data(), settings=settings)
    verify(found, fault)
    assert (found.step, found.batch) == (1, 2 if fault.when == "forward" else 3)


@EVERY
def test_autocast(fault: Fault) -> None:
    settings = {"bf16": True, "per_device_train_batch_size": 8}
    verify(traced(model=Model(fault.head), train_data=data(), settings=settings), fault)


@EVERY
@pytest.mark.parametrize("stated", [{}, {"bf16": True}], ids=["float32", "bf16"])
def test_inside_a_trainer(fault: Fault, stated: dict[str, Any], tmp_path: Path) -> None:
    held = trainer(Model(fault.head), data(), tmp_path, **stated)
    verify(traced(**frameworks.unpack(held)), fault)


@EVERY
def test_steps_of_a_trainer(fault: Fault, tmp_path: Path) -> None:
    held = trainer(Model(fault.head), data(), tmp_path, gradient_accumulation_steps=2)
    found = traced({"steps": 4}, **frameworks.unpack(held))
    verify(found, fault)
    assert found.step == 2


@EVERY
def test_within_a_wrapper(fault: Fault) -> None:
    found = traced(model=Adapted(Model(fault.head)), train_data=data())
    assert found.origin is not None
    assert (found.origin.operation, found.origin.module) == (fault.operation, "base_model.head")
    assert (found.origin.where.line, found.rows) == (fault.line(), GUILTY)


@EVERY
def test_compiled(fault: Fault) -> None:
    torch._dynamo.reset()
    model = Model(fault.head)
    model.compile(backend="eager")
    verify(traced(model=model, train_data=data()), fault)


def test_what_only_the_compiled_model_makes_is_said_to_be_so() -> None:
    def poisoned(module: Any, _inputs: Any) -> Any:
        return lambda *values: tuple(out * float("nan") for out in module(*values))

    torch._dynamo.reset()  # after so many models, it compiles no further one
    model = Model()
    model.compile(backend=poisoned)
    found = traced(model=model, train_data=data())
    assert (found.origin, found.reproduced, found.finite) == (None, False, False)
    assert any("torch.compile" in note for note in found.notes)

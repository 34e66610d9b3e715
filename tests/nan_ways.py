"""The ways to train in which each fault of `nan_faults` has to be told alike."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import Any

import pytest
from nan_faults import BATCH, Fault, Model, differences, functional, torch, traced

from pipedoctor import frameworks
from pipedoctor.facts import Trace

Differences = dict[str, tuple[object, object]]


class Reentrant(Model):
    """The model with the older way of checkpointing, whose backward pass runs another one."""

    def forward(self, input_ids: Any, weight: Any, labels: Any = None) -> Any:
        h = torch.tanh(self.body(self.dropout(self.words(input_ids).mean(1))))
        logits = torch.utils.checkpoint.checkpoint(self.head, h, weight, use_reentrant=True)
        return {"loss": functional.cross_entropy(logits.float(), labels), "logits": logits}


class Adapted(torch.nn.Module):  # type: ignore[misc]  # torch is Any here
    """A model within another, as PEFT has it."""

    def __init__(self, model: Any, *, frozen: bool) -> None:
        super().__init__()
        self.base_model = model
        for parameter in model.words.parameters():
            parameter.requires_grad_(not frozen)

    def get_base_model(self) -> Any:
        return self.base_model

    def forward(self, *words: Any, **keywords: Any) -> Any:
        return self.base_model(*words, **keywords)


def searched(fault: Fault, model: Any, wish: dict[str, Any] | None = None, **stated: Any) -> Trace:
    """Look for a fault in the batches, or if it is the optimizer's, in its steps."""
    parts: dict[str, Any] = {"model": model, "train_data": fault.data()}
    if stated:
        parts["settings"] = {"per_device_train_batch_size": BATCH, **stated}
    if fault.optimizer is not None:
        wish = wish or {"steps": 2}
        parts["optimizer"] = fault.optimizer(model.parameters())
    return traced(wish, **parts)


def trained(fault: Fault, model: Any, wish: dict[str, Any] | None = None, **stated: Any) -> Trace:
    """Look for it in a Trainer that is about to train."""
    transformers = pytest.importorskip("transformers")
    optimizers = (None, None)
    if fault.optimizer is not None:
        wish = wish or {"steps": 2}
        optimizers = (fault.optimizer(model.parameters()), None)
    with tempfile.TemporaryDirectory() as folder:
        arguments = transformers.TrainingArguments(
            folder, per_device_train_batch_size=BATCH, report_to="none", use_cpu=True, **stated
        )
        held = transformers.Trainer(
            model=model, args=arguments, train_dataset=fault.data(), optimizers=optimizers
        )
        return traced(wish, **frameworks.unpack(held))


def plain(fault: Fault) -> Differences:
    return differences(searched(fault, fault.model()), fault)


def checkpointed(fault: Fault) -> Differences:
    return differences(searched(fault, fault.model(checkpointed=True)), fault)


def reentrant(fault: Fault) -> Differences:
    return differences(searched(fault, fault.spoiled(Reentrant(fault.head))), fault)


def accumulated(fault: Fault) -> Differences:
    found = searched(fault, fault.model(), {"steps": 2}, gradient_accumulation_steps=4)
    return differences(found, fault) | _unlike("step", 1, found.step)


def autocast(fault: Fault) -> Differences:
    return differences(searched(fault, fault.model(), bf16=True), fault)


def in_trainer(fault: Fault) -> Differences:
    return differences(trained(fault, fault.model()), fault)


def in_trainer_bf16(fault: Fault) -> Differences:
    return differences(trained(fault, fault.model(), bf16=True), fault)


def in_trainer_checkpointed(fault: Fault) -> Differences:
    return differences(trained(fault, fault.model(checkpointed=True)), fault)


def in_trainer_steps(fault: Fault) -> Differences:
    found = trained(fault, fault.model(), {"steps": 4}, gradient_accumulation_steps=2)
    first = fault.group in {"weights", "optimizer"}  # the others are in the third batch
    return differences(found, fault) | _unlike("step", 1 if first else 2, found.step)


def wrapped(fault: Fault) -> Differences:
    model = Adapted(fault.model(), frozen=fault.optimizer is None)
    return differences(searched(fault, model), fault, "base_model.")


def compiled(fault: Fault) -> Differences:
    torch._dynamo.reset()  # after so many models, it compiles no further one
    model = fault.model()
    model.compile(backend="eager")
    return differences(searched(fault, model), fault)


def _unlike(what: str, expected: object, told: object) -> Differences:
    return {} if expected == told else {what: (expected, told)}


WAYS: dict[str, Callable[[Fault], Differences]] = {
    "plain": plain,
    "checkpointing": checkpointed,
    "reentrant checkpointing": reentrant,
    "accumulation of 4": accumulated,
    "bf16 autocast": autocast,
    "Trainer": in_trainer,
    "Trainer, bf16": in_trainer_bf16,
    "Trainer, checkpointing": in_trainer_checkpointed,
    "Trainer, steps, accumulation of 2": in_trainer_steps,
    "within a wrapper": wrapped,
    "torch.compile": compiled,
}
"""Each returns what is told otherwise than it is: nothing, where all is right."""

"""What is done to a model inside is undone, whatever it is."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from pipedoctor.fact import Unavailable
from pipedoctor.frameworks.restoring import snapshot
from pipedoctor.frameworks.restoring.snapshot import untouched


class Model(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = torch.nn.Embedding(4, 3, max_norm=0.1)
        self.head = torch.nn.Linear(3, 2)
        self.tied = self.head
        self.register_buffer("steps", torch.zeros(2))
        self.config = SimpleNamespace(kind="one", names={0: "a"})


def test_attributes_and_what_they_hold() -> None:
    model = Model()
    kept: dict[str, Any] = {
        "listed": [1],
        "named": OrderedDict(a=1),
        "counted": defaultdict(int, a=1),
        "queued": deque([1], maxlen=3),
        "once": {1},
    }
    vars(model).update(kept)
    with untouched(model):
        model.listed.append(2)
        model.named["b"] = 2
        model.counted["b"] += 1
        model.queued.append(2)
        model.once.add(2)
        model.new = "attribute"
        model.config.kind, model.config.names[1], model.config.other = "two", "b", True
        model.listed = []
        model.head = torch.nn.Linear(3, 5)
        model.register_forward_hook(print)
        del model.steps
    assert vars(model)["listed"] == [1]
    assert model.named == {"a": 1}
    assert model.counted == {"a": 1}
    assert (list(model.queued), model.queued.maxlen) == ([1], 3)
    assert model.once == {1}
    assert all(getattr(model, name) is value for name, value in kept.items())
    assert not hasattr(model, "new")
    assert vars(model.config) == {"kind": "one", "names": {0: "a"}}
    assert model.head.out_features == 2
    assert model.head is model.tied
    assert not model._forward_hooks
    assert model.steps.shape == (2,)


@pytest.mark.parametrize("copied", [snapshot.COPIED, 0], ids=["all weights", "restless ones"])
def test_weights_that_a_forward_pass_writes_to(
    monkeypatch: pytest.MonkeyPatch, copied: int
) -> None:
    monkeypatch.setattr(snapshot, "COPIED", copied)
    model = Model()
    before, place = model.table.weight.detach().clone(), model.table.weight.data_ptr()
    with untouched(model):
        model.table(torch.arange(4))
        assert not torch.equal(model.table.weight, before)
    assert torch.equal(model.table.weight, before)
    assert model.table.weight.data_ptr() == place


def test_weights_that_are_replaced_or_moved() -> None:
    model = Model()
    weight, place = model.head.weight, model.head.weight.data_ptr()
    before = weight.detach().clone()
    with untouched(model):
        model.head.weight.data = torch.zeros(2, 3)
        model.head.bias = torch.nn.Parameter(torch.ones(2))
        model.table.requires_grad_(False)
        model.double()
    assert model.head.weight is weight
    assert weight.data_ptr() == place
    assert torch.equal(weight, before)
    assert model.table.weight.requires_grad
    assert {value.dtype for value in model.state_dict().values()} == {torch.float32}


def test_weights_that_nobody_touched_are_not_written_to() -> None:
    model = Model()
    version = model.head.weight._version
    with untouched(model):
        model.head(torch.ones(1, 3)).sum().backward()
        assert model.head.weight.grad is not None
    assert model.head.weight.grad is None
    assert model.head.weight._version == version


def test_a_config_that_is_a_class_is_left_alone() -> None:
    model = Model()
    model.config = type("Config", (), {"width": 3})
    with untouched(model):
        model.eval()
    assert model.training
    assert model.config.width == 3


def test_a_model_of_torchscript() -> None:
    model = torch.jit.script(torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Dropout(0.5)))
    with untouched(model):
        model.eval()
        assert not model.training
    assert model.training


def test_a_model_without_shapes_is_not_run() -> None:
    with (
        pytest.raises(Unavailable, match="shape from the first batch"),
        untouched(torch.nn.LazyLinear(2)),
    ):
        pass

"""Each family of faults: operation, line, layer and rows, as a pipeline is asked for them."""

from __future__ import annotations

from typing import Any

import pytest
from nan_faults import BY_NAME, FAULTS, Fault, Model, data, traced, verify
from nan_ways import WAYS, searched

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")


FIRST = {fault.group: fault for fault in reversed(FAULTS)}
"""One fault of each kind; test_matrix has all of them in all ways."""

FAST = [name for name in WAYS if name not in {"plain", "torch.compile"}]


@pytest.mark.filterwarnings("ignore:std")
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_named_to_the_operation_the_line_the_layer_and_the_row(fault: Fault) -> None:
    found = searched(fault, fault.model())
    verify(found, fault)
    if fault.marked:
        assert (found.batch, found.batches) == (2, 3)
        assert [show.split(":")[0] for show in found.shows] == ["row 19", "row 22"]


@pytest.mark.parametrize("way", FAST)
@pytest.mark.parametrize("fault", FIRST.values(), ids=FIRST)
def test_one_of_each_kind_is_named_in_all_ways_to_train(fault: Fault, way: str) -> None:
    assert not WAYS[way](fault)


def test_a_value_in_the_data_that_is_not_used_is_no_fault() -> None:
    rows = data(())
    rows[13]["weight"] = [float("nan")]
    assert traced(model=Model(lambda h, _: h), train_data=rows).finite


def test_a_weight_that_was_loaded_so() -> None:
    model = Model()
    with torch.no_grad():
        model.body.weight[3, 4] = float("nan")
    found = traced(model=model, train_data=data(()))
    assert found.origin is not None
    assert (found.origin.when, found.origin.name) == ("weights", "body.weight")
    assert (found.origin.count, found.origin.module, found.rows) == (1, "body", ())


def test_a_tensor_that_nobody_registered() -> None:
    model = Model()
    table = torch.full((16,), float("inf"))
    model.head.fault = lambda h, w: h + table * (1 - w)
    found = traced(model=model, train_data=data())
    assert found.origin is not None
    assert found.origin.operation == "aten.mul"
    assert found.causes[0].name == "table, a tensor of the code's own"


def test_training_until_it_diverges() -> None:
    model = Model(lambda h, _: torch.exp(h * 100))
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    found = traced({"steps": 5}, model=model, optimizer=optimizer, train_data=data(()))
    assert found.root is not None
    assert (found.step, found.root.family) == (2, "exp-overflows")


def test_an_optimizer_that_steps_in_the_backward_pass_does_not_step() -> None:
    model = Model(BY_NAME["log_of_zero"].head)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    before = model.body.weight.detach().clone()
    stepped = []

    def step(_parameter: Any) -> None:
        stepped.append(1)
        optimizer.step()

    model.body.weight.register_post_accumulate_grad_hook(step)
    assert not traced(model=model, train_data=data()).finite
    assert not stepped
    assert torch.equal(model.body.weight, before)


def test_a_value_that_comes_only_sometimes_is_said_to_be_gone() -> None:
    calls = []

    def head(h: Any, _: Any) -> Any:
        calls.append(1)
        return h * (float("nan") if len(calls) == 4 else 1.0)

    found = traced(model=Model(head), train_data=data(()))
    assert (found.batch, found.reproduced, found.finite) == (3, False, False)
    assert any("not compute the same each time" in note for note in found.notes)


def test_everything_finite_is_proved_on_all_batches() -> None:
    found = traced(model=Model(), train_data=data(()))
    assert (found.finite, found.batches, found.complete) == (True, 4, True)
    assert found.tokens == 32 * 6


def test_steps_that_stay_finite_are_counted() -> None:
    settings = {"gradient_accumulation_steps": 2, "per_device_train_batch_size": 8}
    found = traced({"steps": 3}, model=Model(), train_data=data(()), settings=settings)
    assert (found.finite, found.steps, found.batches) == (True, 3, 6)


def test_a_model_without_data_gets_inputs_made_up() -> None:
    found = traced(
        {"batches": 1}, model=torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Sigmoid())
    )
    assert found.finite
    assert any("made up" in note for note in found.notes)

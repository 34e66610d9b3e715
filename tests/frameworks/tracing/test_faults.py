"""Each family of faults: operation, line, layer and rows, as a pipeline is asked for them."""

from __future__ import annotations

from typing import Any

import pytest
from nan_faults import FAULTS, GUILTY, Fault, Model, data, traced, verify

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_named_to_the_operation_the_line_the_layer_and_the_row(fault: Fault) -> None:
    found = traced(model=Model(fault.head), train_data=data())
    verify(found, fault)
    assert (found.batch, found.batches) == (2, 3)
    assert [show.split(":")[0] for show in found.shows] == ["row 19", "row 22"]


def test_a_value_in_the_data() -> None:
    rows = data(())
    rows[13]["weight"] = [float("nan")]
    found = traced(model=Model(lambda h, w: h * w), train_data=rows)
    assert found.origin is not None
    assert (found.origin.when, found.origin.name) == ("data", "weight")
    assert found.rows == (13,)


def test_a_value_in_the_data_that_is_not_used_is_no_fault() -> None:
    rows = data(())
    rows[13]["weight"] = [float("nan")]
    assert traced(model=Model(), train_data=rows).finite


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
    assert found.causes[0].name == "a tensor of the code's own"


@pytest.mark.parametrize("kind", ["for-loop", "foreach", "fused"])
def test_an_optimizer_without_eps(kind: str) -> None:
    model = Model()
    words = {
        "for-loop": {"foreach": False},
        "foreach": {"foreach": True},
        "fused": {"fused": True},
    }
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, eps=0.0, **words[kind])
    found = traced({"steps": 2}, model=model, optimizer=optimizer, train_data=data(()))
    assert found.origin is not None
    assert (found.origin.when, found.origin.name) == ("optimizer", "words.weight")
    assert found.origin.family == "optimizer-divides-by-zero"
    assert found.step == 1


def test_training_until_it_diverges() -> None:
    model = Model(lambda h, _: torch.exp(h * 100))
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    found = traced({"steps": 5}, model=model, optimizer=optimizer, train_data=data(()))
    assert found.root is not None
    assert (found.step, found.root.family) == (2, "exp-overflows")


def test_a_derivative_of_the_users_own() -> None:
    class Own(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, h: Any, w: Any) -> Any:
            ctx.save_for_backward(w)
            return h * 1

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            (w,) = ctx.saved_tensors
            return gradient / w, None

    found = traced(model=Model(Own.apply), train_data=data())
    assert found.root is not None
    assert (found.root.operation, found.root.node) == ("aten.div", "OwnBackward")
    assert found.root.where.source == "return gradient / w, None"
    assert (found.root.module, found.rows) == ("head", GUILTY)


def test_an_optimizer_that_steps_in_the_backward_pass_does_not_step() -> None:
    model = Model(FAULTS[0].head)
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


def test_float16_overflows() -> None:
    def head(h: Any, w: Any) -> Any:
        return h + (h.half() * (1 + 60000 * (1 - w)).half() * 100).float() * 0

    found = traced(model=Model(head), train_data=data())
    assert found.root is not None
    assert found.root.family == "float16-overflows"
    assert found.rows == GUILTY


def test_no_label_counts() -> None:
    rows = [{**row, "labels": -100} for row in data(())]
    found = traced(model=Model(), train_data=rows)
    assert found.origin is not None
    assert found.origin.operation == "aten.nll_loss_forward"
    assert found.origin.family == "no-label-counts"


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

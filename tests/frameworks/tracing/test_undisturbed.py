"""A search leaves everything bit for bit as it was, whatever it finds."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from nan_faults import BY_NAME, Model, data, traced

torch = pytest.importorskip("torch")
np = pytest.importorskip("numpy")


class Normed(Model):
    """The model with buffers that a pass changes."""

    def __init__(self, fault: Callable[[Any, Any], Any]) -> None:
        super().__init__(fault)
        self.norm = torch.nn.BatchNorm1d(16)

    def forward(self, input_ids: Any, weight: Any, labels: Any = None) -> Any:
        self.seen = getattr(self, "seen", 0) + 1
        self.norm(self.words(input_ids).mean(1))
        return super().forward(input_ids, weight, labels)


def state(model: Any, optimizer: Any) -> list[Any]:
    """Return all that must stay: tensors as bytes, the rest as it is."""
    held = [*model.parameters(), *model.buffers()]
    held += [p.grad for p in model.parameters() if p.grad is not None]
    groups = [{k: v for k, v in g.items() if k != "params"} for g in optimizer.param_groups]
    states = [(name, value) for s in optimizer.state.values() for name, value in s.items()]
    held += [value for _, value in states]
    return [
        *(tensor.detach().numpy().tobytes() for tensor in held),
        [name for name, _ in states],
        groups,
        model.training,
        [module.training for module in model.modules()],
        vars(model).get("seen"),
        torch.get_rng_state().numpy().tobytes(),
        random.getstate(),
        np.random.get_state()[1].tobytes(),
        [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()],
        torch.is_anomaly_enabled(),
    ]


@pytest.mark.parametrize("wish", [{"batches": "all"}, {"steps": 3}], ids=["batches", "steps"])
@pytest.mark.parametrize(
    "fault",
    [BY_NAME["log_of_zero"], BY_NAME["root_backwards"], None],
    ids=["forward", "backward", "none"],
)
def test_weights_gradients_optimizer_and_random_states_stay(wish: Any, fault: Any) -> None:
    model = Normed(fault.head if fault is not None else lambda h, _: h)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    loss = model(torch.tensor([[1, 2]] * 4), torch.ones(4, 1), torch.tensor([0, 1, 0, 1]))["loss"]
    loss.backward()
    optimizer.step()
    model.eval()
    before = state(model, optimizer)
    kept = [id(p.grad) for p in model.parameters()]
    found = traced(wish, model=model, optimizer=optimizer, train_data=data())
    assert found.finite is (fault is None)
    assert state(model, optimizer) == before
    assert [id(p.grad) for p in model.parameters()] == kept


def test_an_optimizer_that_has_not_stepped_has_no_state_afterwards() -> None:
    model = Model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    assert traced({"steps": 2}, model=model, optimizer=optimizer, train_data=data(())).finite
    assert not optimizer.state


def test_no_tensor_is_kept_alive() -> None:
    import gc
    import weakref

    from pipedoctor.frameworks.tracing.lineage import Lineage

    model = Model(BY_NAME["log_of_zero"].head)
    lineage = Lineage(model, 4)
    with lineage.watching():
        out = model(torch.tensor([[1, 2]] * 4), torch.zeros(4, 1), torch.tensor([0, 1, 0, 1]))
        storage = weakref.ref(out["logits"].untyped_storage())
        known = len(lineage._known)
        del out
        gc.collect()
    assert known > 1
    assert storage() is None
    assert not lineage._known
    assert lineage.lines

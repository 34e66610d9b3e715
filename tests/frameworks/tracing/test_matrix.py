"""Each fault in each way to train: operation, line, layer, rows and family, all of them right."""

from __future__ import annotations

from typing import Any

import pytest
from nan_faults import FAULTS, Fault, Model, data, traced
from nan_ways import WAYS

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

pytestmark = pytest.mark.deep


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.filterwarnings("ignore:std")
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_told_alike_in_all_ways_to_train(fault: Fault, way: str) -> None:
    assert not WAYS[way](fault)


def test_what_only_the_compiled_model_makes_is_said_to_be_so() -> None:
    def poisoned(module: Any, _inputs: Any) -> Any:
        return lambda *values: tuple(out * float("nan") for out in module(*values))

    torch._dynamo.reset()  # after so many models, it compiles no further one
    model = Model()
    model.compile(backend=poisoned)
    found = traced(model=model, train_data=data())
    assert (found.origin, found.reproduced, found.finite) == (None, False, False)
    assert any("torch.compile" in note for note in found.notes)

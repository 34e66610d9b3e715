from __future__ import annotations

import re
from typing import Any

import pytest

from pipedoctor.facts import Gradients
from pipedoctor.facts.gradients import Gradient
from pipedoctor_checks.loss.loss_detached_from_the_model import loss_detached_from_the_model


def found(*reached: bool, connected: bool = True, **more: Any) -> list[Any]:
    of = {f"p{n}": Gradient(1.0 if got else None, 4, got) for n, got in enumerate(reached)}
    return list(loss_detached_from_the_model(Gradients("M", 0.69, of, connected, **more)))


def test_a_loss_without_a_graph() -> None:
    (finding,) = found(False, False, connected=False)
    assert finding.message.startswith(
        "The loss of 0.69 that M returns depends on none of the 2 trainable parameters"
    )
    assert "element 0 of tensors does not require grad" in finding.message


def test_a_loss_that_was_made_to_need_a_gradient() -> None:
    (finding,) = found(False, connected=True, own_loss=True)
    assert "that compute_loss returns" in finding.message
    assert "no weight would move" in finding.message


def test_some_have_a_gradient_or_nothing_is_trained() -> None:
    assert found(True, False) == []
    assert found(connected=False) == []


def test_what_checkpointing_cut_off_is_told_elsewhere() -> None:
    assert found(False, connected=False, cut=("p0",)) == []


@pytest.mark.parametrize("name", ["backward", "detach"])
def test_a_loss_that_is_a_plain_number(name: str) -> None:
    with pytest.raises(AttributeError) as raised:
        getattr(1.5, name)
    assert any(re.search(s, str(raised.value)) for s in loss_detached_from_the_model.symptoms)

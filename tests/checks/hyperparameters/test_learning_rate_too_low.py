from __future__ import annotations

from typing import Any

import pytest
from facts import schedule, settings

from pipedoctor.fact import Unavailable
from pipedoctor_checks.hyperparameters.learning_rate_too_low import learning_rate_too_low


def told(steps: int, **stated: Any) -> list[Any]:
    return list(learning_rate_too_low(settings(**stated), schedule(max_steps=steps, **stated)))


def test_an_exponent_that_slipped() -> None:
    (finding,) = told(1000, learning_rate=2e-8)
    assert finding.evidence["reach"] == pytest.approx(2e-5)
    assert finding.remedy.startswith('set "learning_rate": 2.0e-5')


@pytest.mark.parametrize(
    ("steps", "stated"),
    [
        (1000, {}),
        (10, {"learning_rate": 2e-5}),
        (1, {"learning_rate": 1e-6}),
        (100_000, {"learning_rate": 5e-8}),
        (500, {"learning_rate": 5e-7}),
        (100, {"learning_rate": 1e-8, "optim": "sgd"}),
        (100, {"learning_rate": 0}),
    ],
    ids=str,
)
def test_what_can_move_a_weight_or_is_anothers_business(
    steps: int, stated: dict[str, Any]
) -> None:
    assert told(steps, **stated) == []


def test_a_text_is_anothers_business() -> None:
    with pytest.raises(Unavailable):
        told(100, learning_rate="2e-8")


def test_adam_moves_no_weight_further() -> None:
    """The bound that the check rests on, with gradients that are as unfriendly as can be."""
    torch = pytest.importorskip("torch")
    weight = torch.nn.Parameter(torch.zeros(64))
    optimizer = torch.optim.AdamW([weight], lr=1e-8, weight_decay=0.0)
    generator = torch.Generator().manual_seed(0)
    for step in range(200):
        sign = 1.0 if step % 40 < 30 else -1.0
        weight.grad = sign * torch.rand(64, generator=generator) * 10.0 ** (step % 5)
        optimizer.step()
    assert 0 < float(weight.detach().abs().max()) <= 3.2 * 200 * 1e-8

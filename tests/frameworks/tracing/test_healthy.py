"""Infinities and NaN that come up and are thrown away again, or are meant to be there: silence."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
from nan_healthy import HEADS

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from torch import nn  # noqa: E402 - after importorskip
from torch.nn import functional  # noqa: E402 - after importorskip

from pipedoctor.frameworks.tracing.replay import State, Step, replay  # noqa: E402 - likewise


def found(model: Any, inputs: dict[str, Any], half: Callable[[], Any] = nullcontext) -> Any:
    step = Step(model, lambda m, batch: m(**batch)["loss"], half)
    return replay(step, inputs, State.of(model))


@pytest.mark.parametrize("head", HEADS, ids=lambda head: head.__name__)
def test_nothing_is_said_of_a_healthy_formula(head: Callable[[Any, Any], Any]) -> None:
    from nan_faults import Model, data

    rows = data()[16:24]
    batch = {name: torch.tensor([row[name] for row in rows]) for name in rows[0]}
    assert found(Model(head), batch) is None


def test_layer_norm_of_constant_rows_and_label_smoothing() -> None:
    class Smooth(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm, self.out = nn.LayerNorm(8), nn.Linear(8, 3)

        def forward(self, x: Any, labels: Any) -> Any:
            logits = self.out(self.norm(x * 0 + 1))
            return {"loss": functional.cross_entropy(logits, labels, label_smoothing=0.1)}

    assert (
        found(Smooth(), {"x": torch.randn(4, 8), "labels": torch.tensor([0, 1, 2, -100])}) is None
    )


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("half", [None, "bfloat16"])
def test_a_causal_model_with_padding_on_the_left(attention: str, half: str | None) -> None:
    config = transformers.GPT2Config(
        n_layer=1,
        n_head=2,
        n_embd=16,
        vocab_size=50,
        n_positions=16,
        attn_implementation=attention,
    )
    model = transformers.GPT2LMHeadModel(config)
    ids = torch.randint(50, (3, 8))
    mask = torch.ones(3, 8, dtype=torch.long)
    mask[0, :5] = 0
    labels = ids.masked_fill(mask == 0, -100)
    context = nullcontext
    if half is not None:
        context = lambda: torch.autocast("cpu", getattr(torch, half))  # noqa: E731 - made anew each time
    batch = {"input_ids": ids, "attention_mask": mask, "labels": labels}
    assert found(model, batch, context) is None

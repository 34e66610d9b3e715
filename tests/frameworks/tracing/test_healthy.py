"""Infinities and NaN that come up and are thrown away again, or are meant to be there: silence."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from torch import nn  # noqa: E402 - after importorskip
from torch.nn import functional  # noqa: E402 - after importorskip

from pipedoctor.frameworks.tracing.replay import State, Step, replay  # noqa: E402 - likewise

NOTHING = float("-inf")


def standard_deviation_of_zeros(h: Any, w: Any) -> Any:
    return h + (h * w).std(-1, keepdim=True)


def norm_of_zeros(h: Any, w: Any) -> Any:
    return h + torch.linalg.vector_norm(h * w, dim=-1, keepdim=True)


def normalised_zeros(h: Any, w: Any) -> Any:
    return functional.normalize(h * w, dim=-1)


def causal_mask(h: Any, _: Any) -> Any:
    scores = h[:, :, None] * h[:, None, :]
    mask = torch.triu(torch.ones(16, 16, dtype=torch.bool), 1)
    return (torch.softmax(scores.masked_fill(mask, NOTHING), -1) * h[:, None]).sum(-1)


def added_mask(h: Any, w: Any) -> Any:
    low = torch.finfo(h.dtype).min
    mask = torch.cat([torch.zeros(len(w), 1), (1 - w).expand(-1, 15) * low], 1)
    return torch.softmax(h + mask + mask, -1)  # adds up to -inf


def bool_attention(h: Any, w: Any) -> Any:
    q = h.view(-1, 1, 4, 4)
    mask = (w > 0).view(-1, 1, 1, 1).expand(-1, 1, 4, 4)
    return h + functional.scaled_dot_product_attention(q, q, q, attn_mask=mask).view(h.shape)


def zero_hidden_by_where(h: Any, w: Any) -> Any:
    return h + torch.where(w > 0, torch.log(w), torch.zeros_like(w))  # w needs no gradient


def clamped_afterwards(h: Any, w: Any) -> Any:
    return h + torch.log(w).clamp_min(-10)


def best_of_masked(h: Any, w: Any) -> Any:
    return h.masked_fill(torch.arange(16) > 7, NOTHING).amax(-1, keepdim=True) + h * w


def nan_to_num(h: Any, w: Any) -> Any:
    return h + torch.nan_to_num(w / w)


def filled_later(h: Any, _: Any) -> Any:
    out = torch.empty_like(h).fill_(float("nan"))
    out.copy_(h)
    return out


def log_sum_exp_of_masked(h: Any, _: Any) -> Any:
    return torch.logsumexp(h.masked_fill(torch.arange(16) > 7, NOTHING), -1, keepdim=True) + h


HEADS = (
    standard_deviation_of_zeros,
    norm_of_zeros,
    normalised_zeros,
    causal_mask,
    added_mask,
    bool_attention,
    zero_hidden_by_where,
    clamped_afterwards,
    best_of_masked,
    nan_to_num,
    filled_later,
    log_sum_exp_of_masked,
)


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

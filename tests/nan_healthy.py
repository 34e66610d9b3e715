"""Formulas in which infinities or NaN come up and are thrown away again, or are meant to be there."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional  # noqa: E402 - after importorskip

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

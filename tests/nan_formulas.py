"""
Formulas with one numerical fault each: of hidden states `h` and of a weight `w`, 0 in the bad rows.

Behind `# BORN` is the line in which what reaches the loss or a gradient becomes NaN, behind `# FROM`
that in which the infinity comes up which it is made of, where that is another line.
"""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")

LOWEST = -3.4028234663852886e38


def healthy(h: Any, w: Any) -> Any:
    return h + w - w


# In the forward pass.


def log_of_zero(h: Any, w: Any) -> Any:
    a = torch.log(w)  # FROM log_of_zero
    return h + a * 0  # BORN log_of_zero


def log_of_negative(h: Any, w: Any) -> Any:
    return h + torch.log1p(w * 3 - 2)  # BORN log_of_negative


def division_by_zero(h: Any, w: Any) -> Any:
    return h + w / w  # BORN division_by_zero


def exp_overflows(h: Any, w: Any) -> Any:
    e = torch.exp((1 - w) * 1000)  # FROM exp_overflows
    return h + (e - e)  # BORN exp_overflows


def negative_root(h: Any, w: Any) -> Any:
    return h + torch.sqrt(w - 0.5)  # BORN negative_root


def unit_vector(h: Any, w: Any) -> Any:
    v = h * w
    return v / v.norm(dim=-1, keepdim=True)  # BORN unit_vector


def inverse_root(h: Any, w: Any) -> Any:
    scale = torch.rsqrt(w)  # FROM inverse_root
    return h * scale * w  # BORN inverse_root


def power_of_zero(h: Any, w: Any) -> Any:
    scale = w.pow(-0.5)  # FROM power_of_zero
    return h * scale * w  # BORN power_of_zero


def out_of_domain(h: Any, w: Any) -> Any:
    return h + torch.acos(2 - w)  # BORN out_of_domain


def in_place(h: Any, w: Any) -> Any:
    z = w.clone()
    z.log_()  # FROM in_place
    return h + z * 0  # BORN in_place


def product_too_large(h: Any, w: Any) -> Any:
    grown = torch.cumprod((1 + 1e4 * (1 - w)).expand(-1, 16), -1)  # FROM product_too_large
    return h + (grown - grown)  # BORN product_too_large


def mean_of_nothing(h: Any, w: Any) -> Any:
    means = [row[: int(n)].mean() for row, n in zip(h, w, strict=True)]  # BORN mean_of_nothing
    return h + torch.stack(means)[:, None]


def spread_of_one(h: Any, w: Any) -> Any:
    spreads = [row[: 1 + int(n)].std() for row, n in zip(h, w, strict=True)]  # BORN spread_of_one
    return h + torch.stack(spreads)[:, None]


# Of masks.


def all_masked(h: Any, w: Any) -> Any:
    scores = h.masked_fill(w == 0, float("-inf"))
    return h + torch.softmax(scores, -1)  # BORN all_masked


def all_masked_log(h: Any, w: Any) -> Any:
    scores = h.masked_fill(w == 0, float("-inf"))
    return h + torch.log_softmax(scores, -1).exp()  # BORN all_masked_log


def masked_twice(h: Any, w: Any) -> Any:
    low = (1 - w) * LOWEST
    return h + torch.softmax(h + low + low, -1)  # BORN masked_twice


def mean_of_masked(h: Any, w: Any) -> Any:
    mask = w.expand(-1, 16)
    return h + (h * mask).sum(-1, keepdim=True) / mask.sum(-1, keepdim=True)  # BORN mean_of_masked


def multiplied_by_mask(h: Any, w: Any) -> Any:
    e = torch.exp(h.detach() + 1000 * (1 - w))  # FROM multiplied_by_mask
    return h + e * w  # BORN multiplied_by_mask


# In half precision.


def half_product(h: Any, w: Any) -> Any:
    big = (1 + 599 * (1 - w)).half()
    p = big * big  # FROM half_product
    return h + (p - p).float()  # BORN half_product


def half_cast(h: Any, w: Any) -> Any:
    p = (1 + 1e6 * (1 - w)).half()  # FROM half_cast
    return h + (p - p).float()  # BORN half_cast


def half_eps(h: Any, w: Any) -> Any:
    v = w.half()
    return h + (v / (v + 1e-8)).float()  # BORN half_eps


def half_exp(h: Any, w: Any) -> Any:
    e = torch.exp(12 * (1 - w).half())  # FROM half_exp
    return h + (e / e).float()  # BORN half_exp


def half_backwards(h: Any, w: Any) -> Any:
    q = h * w  # BORN half_backwards
    x = q.float().half().float() * (1 + 1e9 * (1 - w))  # FROM half_backwards
    return h + x - x.detach()


# In the backward pass.


def root_backwards(h: Any, w: Any) -> Any:
    return h + torch.sqrt((h * w).pow(2).sum(-1, keepdim=True))  # BORN root_backwards


def power_backwards(h: Any, w: Any) -> Any:
    return h + (h * w).square().sum(-1, keepdim=True).pow(0.5)  # BORN power_backwards


def where_backwards(h: Any, w: Any) -> Any:
    q = h * w
    safe = torch.where(q != 0, torch.log(q.abs()), torch.zeros_like(q))  # BORN where_backwards
    return h + safe


def division_backwards(h: Any, w: Any) -> Any:
    q = h * w
    return h + torch.where(q != 0, h / q, torch.zeros_like(q))  # BORN division_backwards


def exp_backwards(h: Any, w: Any) -> Any:
    e = torch.exp(h * (1 + 1e5 * (1 - w)).abs() * h.sign())  # BORN exp_backwards
    return h + torch.where(w == 0, torch.zeros_like(e), e)


def angle_backwards(h: Any, w: Any) -> Any:
    return h + torch.acos(1 - (h * w).square().clamp(max=0.5)) * w  # BORN angle_backwards


def entropy_backwards(h: Any, w: Any) -> Any:
    q = (h * w).abs()
    return h + torch.xlogy(q, q)  # BORN entropy_backwards


class Scaled(torch.autograd.Function):  # type: ignore[misc]  # torch is Any here
    """What it is given, with a derivative that divides by the weight."""

    @staticmethod
    def forward(ctx: Any, h: Any, w: Any) -> Any:
        ctx.save_for_backward(w)
        return h * 1

    @staticmethod
    def backward(ctx: Any, gradient: Any) -> Any:
        (w,) = ctx.saved_tensors
        return (gradient * w) / w, None  # BORN own_backwards


def own_backwards(h: Any, w: Any) -> Any:
    return Scaled.apply(h, w)  # CALLED own_backwards

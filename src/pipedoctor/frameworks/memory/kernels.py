"""
What the kernels of a GPU keep, where tracing on a CPU would tell otherwise.

Dropout keeps a byte for each value there, and a float here. Fused attention keeps what goes in and
comes out, whichever fused kernel runs, and not the scores; with dropout, a CPU falls back to the
unfused one. Autocast has operations that a GPU computes in float32, which a CPU leaves in half
precision: https://docs.pytorch.org/docs/stable/amp.html#cuda-ops-that-can-autocast-to-float32
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

IN_FLOAT32 = frozenset(
    (
        *("acos", "asin", "binary_cross_entropy_with_logits", "cdist", "cosh"),
        *("cosine_embedding_loss", "cosine_similarity", "cross_entropy", "cumprod", "cumsum"),
        *("dist", "erfinv", "exp", "expm1", "group_norm"),
        *("hinge_embedding_loss", "huber_loss", "kl_div", "l1_loss", "layer_norm"),
        *("log", "log10", "log1p", "log2", "log_softmax"),
        *(
            "logsumexp",
            "margin_ranking_loss",
            "mse_loss",
            "multi_margin_loss",
            "multilabel_margin_loss",
        ),
        *("nll_loss", "norm", "pdist", "poisson_nll_loss", "pow"),
        *("prod", "reciprocal", "renorm", "rsqrt", "sinh"),
        *("smooth_l1_loss", "soft_margin_loss", "softmax", "softmin", "softplus"),
        *("sum", "tan", "triplet_margin_loss"),
    )
)
HALVES = (torch.float16, torch.bfloat16)
ALIGNED = 8
"""Fused attention pads the last dimension of a mask to a multiple of so many values."""


class GpuKernels(TorchFunctionMode):  # type: ignore[misc]  # torch does not type it
    """
    While it is entered, operations keep what they would keep on a GPU.

    A function of torch that calls another, as multi-head attention does, is not asked again for
    that one: dropout and attention are replaced in torch.nn.functional as well.
    """

    def __enter__(self) -> Any:
        """Begin."""
        self._usual = {
            name: vars(functional)[name] for name in ("dropout", "scaled_dot_product_attention")
        }
        usual = self._usual["dropout"]
        vars(functional)["dropout"] = lambda *words, **more: _dropout(usual, *words, **more)
        vars(functional)["scaled_dot_product_attention"] = fused_attention
        return super().__enter__()

    def __exit__(self, *error: object) -> None:
        """End."""
        vars(functional).update(self._usual)
        super().__exit__(*error)

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run a function, or what stands for the GPU's kernel of it."""
        del types
        kwargs = kwargs or {}
        if func is self._usual["scaled_dot_product_attention"]:
            return fused_attention(*args, **kwargs)
        name = getattr(func, "__name__", "")
        if name in {"dropout", "dropout_"}:
            return _dropout(func, *args, **kwargs)
        if name in IN_FLOAT32 and torch.is_autocast_enabled("cpu"):
            args = tuple(map(_in_float32, args))
            kwargs = {key: _in_float32(value) for key, value in kwargs.items()}
        return func(*args, **kwargs)


def _in_float32(value: Any) -> Any:
    return value.float() if isinstance(value, torch.Tensor) and value.dtype in HALVES else value


def _dropout(
    func: Any,
    input: Any,  # noqa: A002 - the name that torch has for it
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    **others: Any,
) -> Any:
    training = others.get("train", training)
    if not training or not 0 < p < 1 or inplace:
        return func(input, p, training)
    return torch.native_dropout(input, p, True)[0]


def fused_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    *_words: Any,
    **_keywords: Any,
) -> Any:
    """Return what stands for the output of a fused kernel, which keeps as much as one."""
    if torch.is_autocast_enabled("cpu"):
        half = torch.get_autocast_dtype("cpu")
        query, key, value = (
            t.to(half) if t.dtype == torch.float32 else t for t in (query, key, value)
        )
    bias = None
    if attn_mask is not None:
        bias = attn_mask
        padded = -(-bias.shape[-1] // ALIGNED) * ALIGNED
        if bias.dtype != query.dtype or padded != bias.shape[-1]:
            bias = torch.empty((*bias.shape[:-1], padded), dtype=query.dtype, device=query.device)
    return _Fused.apply(query, key, value, bias)


class _Fused(torch.autograd.Function):  # type: ignore[misc]  # likewise
    """Attention that keeps its inputs, its output, and one number for each row of scores."""

    @staticmethod
    def forward(ctx: Any, query: Any, key: Any, value: Any, bias: Any) -> Any:
        """Make the output as kernels lay it out: the heads of a position beside each other."""
        *batch, heads, length, _ = query.shape
        width = value.shape[-1]
        out = query.new_empty((*batch, length, heads, width)).transpose(-2, -3)
        sums = query.new_empty((*batch, heads, length), dtype=torch.float32)
        ctx.save_for_backward(query, key, value, out, sums, bias)
        return out

    @staticmethod
    def backward(ctx: Any, gradient: Any) -> Any:
        """Make the gradients, and what a kernel needs meanwhile."""
        query, key, value, out, sums, _bias = ctx.saved_tensors
        needed = [torch.empty_like(sums)]
        if query.dtype in HALVES:  # the gradient of the queries is summed up in float32
            needed.append(torch.empty_like(query, dtype=torch.float32))
        del gradient, out
        made = tuple(torch.empty_like(one) for one in (query, key, value))
        del needed
        return (*made, None)

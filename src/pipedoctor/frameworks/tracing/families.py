"""The known families of faults: by what they are told, why they happen, what cures them."""

from __future__ import annotations

from dataclasses import dataclass

ANY: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Family:
    """
    One way to a value that is not finite.

    `operations` and `nodes` are names without "aten." and without the number of the derivative;
    a family without operations holds for all. `labels` are what the operands must be (see
    `operands`), one of each group; `whats` what came out.
    """

    name: str
    why: str
    cure: str
    operations: frozenset[str] = ANY
    nodes: frozenset[str] = ANY
    labels: tuple[frozenset[str], ...] = ()
    whats: frozenset[str] = ANY
    when: frozenset[str] = ANY

    def fits(
        self, operation: str, node: str, when: str, what: str, labels: frozenset[str]
    ) -> bool:
        """Whether a birth is of this family."""
        return (
            (not self.operations or operation in self.operations)
            and (not self.nodes or node in self.nodes)
            and (not self.when or when in self.when)
            and (not self.whats or what in self.whats)
            and all(group & labels for group in self.labels)
        )


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _zero(*names: str) -> tuple[frozenset[str], ...]:
    return (frozenset(f"{name}=zero" for name in names),)


_LOGS = _set("log log2 log10")
_DIVISIONS = _set("div reciprocal rsqrt")
_SHIELDED = _set(
    "LogBackward Log2Backward Log10Backward Log1PBackward DivBackward RsqrtBackward "
    "ReciprocalBackward"
)
_EXPS = _set("exp exp2 expm1 sinh cosh")
_PRODUCTS = _set("mm bmm addmm baddbmm matmul convolution linear mul")
_INFINITE = (_set("self=inf other=inf mat1=inf mat2=inf input=inf batch1=inf batch2=inf"),)
_HALF = (_set("dtype=float16"),)
_MASKS = _set("masked_fill where full scalar_tensor fill full_like new_full")
BACKWARD, FORWARD, OPTIMIZER = _set("backward"), _set("forward"), _set("optimizer")

FAMILIES = (
    Family(
        "optimizer-divides-by-zero",
        "the optimizer divides by the root of the mean squared gradient plus eps; that is 0 where "
        "a gradient has been 0 and eps is 0, or too small for the dtype of the weights",
        "set the optimizer's eps (adam_epsilon) to 1e-8, in float16 to 1e-4; keep weights in "
        "float32 where they are trained",
        operations=_set("addcdiv div _fused_adamw _fused_adam _foreach_addcdiv _foreach_div"),
        when=OPTIMIZER,
    ),
    Family(
        "root-of-a-negative-number",
        "the optimizer takes the root of a negative number, which is not defined",
        "clamp what stands under the root in the optimizer: v.clamp_min(0).sqrt(); torch's own "
        "optimizers keep it positive",
        operations=_set("sqrt sqrt_ rsqrt pow _foreach_sqrt"),
        labels=(_set("self=negative"),),
        when=OPTIMIZER,
    ),
    Family(
        "log-of-a-negative-number",
        "the optimizer takes the log of a negative number, which is not defined",
        "clamp the argument in the optimizer: x.clamp_min(1e-12).log()",
        operations=_LOGS,
        labels=(_set("self=negative"),),
        when=OPTIMIZER,
    ),
    Family(
        "update-overflows",
        "the update is larger than the dtype of the weights can hold",
        "lower learning_rate, clip gradients (max_grad_norm=1.0), keep the weights in float32",
        when=OPTIMIZER,
    ),
    Family(
        "where-does-not-shield-the-gradient",
        "torch.where (or a mask) hides the bad value in the forward pass only; backwards, the "
        "gradient 0 of the hidden branch is multiplied by an infinite derivative: 0 x inf = NaN",
        "make the argument safe before the operation: x = torch.where(ok, x, 1.0), apply the "
        "operation to that, and then torch.where(ok, result, 0.0)",
        nodes=_SHIELDED,
        when=BACKWARD,
        whats=_set("NaN"),
    ),
    Family(
        "where-does-not-shield-the-gradient",
        "torch.where (or a mask) hides the bad value in the forward pass only; backwards, the "
        "infinite derivative is computed all the same, and times the gradient 0 it is NaN",
        "make the argument safe before the operation: x = torch.where(ok, x, 1.0), apply the "
        "operation to that, and then torch.where(ok, result, 0.0)",
        nodes=_SHIELDED,
        labels=_zero("other", "self"),
        when=BACKWARD,
        whats=_set("inf -inf"),
    ),
    Family(
        "x-log-x-has-no-slope-at-zero",
        "x log(x) is 0 at 0, but its derivative is log(0), infinite; the forward pass does not "
        "show it",
        "clamp the argument: x = x.clamp_min(1e-12), and then torch.xlogy(x, x); for "
        "probabilities compute with log_softmax",
        nodes=_set("XlogyBackward SpecialEntrBackward"),
        when=BACKWARD,
    ),
    Family(
        "root-of-a-negative-number",
        "a negative number to a fractional power is not defined, nor is its derivative; torch.where "
        "(or a mask) hides it in the forward pass only",
        "make the base safe before the power: x.clamp_min(1e-6).pow(p), or x.abs() + 1e-6; an eps "
        "under the root does not help where the base is negative",
        operations=_set("pow sqrt rsqrt"),
        nodes=_set("SqrtBackward PowBackward PowBackwardTensor"),
        labels=(_set("self=negative"),),
        when=BACKWARD,
        whats=_set("NaN"),
    ),
    Family(
        "root-has-no-slope-at-zero",
        "the derivative of a root at 0 is infinite, and times the gradient 0 of what stands under "
        "it NaN; the forward pass does not show it",
        "add the eps under the root: torch.sqrt(x + 1e-12), or use torch.linalg.vector_norm, whose "
        "derivative at 0 is defined",
        nodes=_set("SqrtBackward PowBackward NormBackward PowBackwardTensor"),
        when=BACKWARD,
    ),
    Family(
        "angle-at-its-end",
        "the derivative of acos and asin is infinite at -1 and 1",
        "clamp the argument: x.clamp(-1 + 1e-7, 1 - 1e-7)",
        nodes=_set("AcosBackward AsinBackward Atan2Backward"),
        when=BACKWARD,
    ),
    Family(
        "norm-of-zero",
        "a vector of zeros has no direction: its norm is 0 and its derivative not defined",
        "torch.nn.functional.normalize(x, eps=1e-6), or add an eps under the root",
        nodes=_set("LinalgVectorNormBackward NormBackward CosineSimilarityBackward"),
        when=BACKWARD,
    ),
    Family(
        "gradient-overflows-in-float16",
        "float16 holds at most 65,504, and the gradients are multiplied by the loss scale; in the "
        "first steps that is usual, the scaler skips them and halves its scale",
        "bf16=True instead of fp16=True; if fp16 must be, lower the initial scale of the scaler",
        labels=_HALF,
        when=BACKWARD,
    ),
    Family(
        "nothing-but-masked",
        "softmax over a row in which everything is masked with -inf: there is nothing to share "
        "out, 0/0",
        "leave at least one position open in each row, or mask with torch.finfo(x.dtype).min "
        "instead of -inf, or set such rows to 0 afterwards with torch.where",
        operations=_set(
            "_softmax _log_softmax _safe_softmax softmax log_softmax logsumexp "
            "_scaled_dot_product_flash_attention_for_cpu "
            "_scaled_dot_product_attention_math _scaled_dot_product_efficient_attention"
        ),
        labels=(_set("self=-inf attn_mask=-inf attn_bias=-inf self=inf attn_mask=inf"),),
    ),
    Family(
        "no-label-counts",
        "every label of the batch is ignored (-100), so the mean loss is 0/0",
        "drop rows without labels; if they were cut off, raise max_length or truncate the other "
        "side",
        operations=_set("nll_loss_forward nll_loss2d_forward cross_entropy_loss"),
    ),
    Family(
        "log-of-zero",
        "log(0) is -inf",
        "clamp the argument: torch.log(x.clamp_min(1e-12)); for probabilities use log_softmax or "
        "logsigmoid of the logits",
        operations=_LOGS | _set("xlogy"),
        labels=_zero("self", "other"),
    ),
    Family(
        "log-of-a-negative-number",
        "the log of a negative number is not defined",
        "clamp the argument to at least 1e-12, or find out why it is negative",
        operations=_LOGS | _set("log1p"),
        labels=(_set("self=negative"),),
    ),
    Family(
        "eps-lost-in-float16",
        "an eps below 6e-8 is 0 in float16, so the division is one by 0",
        "use an eps of 1e-4, or compute in float32: x.float()",
        operations=_DIVISIONS,
        labels=(*_zero("other", "self"), *_HALF),
    ),
    Family(
        "division-by-zero",
        "the divisor is 0: an empty mask, a count of 0, or a norm of a row of zeros",
        "clamp the divisor: x / y.clamp_min(1e-9); for means over a mask, mask.sum().clamp(min=1)",
        operations=_set("div"),
        labels=_zero("other"),
    ),
    Family(
        "division-by-zero",
        "1 / 0 is infinite",
        "clamp the divisor: 1 / x.clamp_min(1e-9)",
        operations=_set("reciprocal"),
        labels=_zero("self"),
    ),
    Family(
        "division-by-zero",
        "1 over the root of 0 is infinite",
        "add an eps: torch.rsqrt(x + 1e-6)",
        operations=_set("rsqrt"),
        labels=_zero("self"),
    ),
    Family(
        "power-of-zero",
        "0 to a negative power is infinite",
        "clamp the base: x.clamp_min(1e-9)",
        operations=_set("pow"),
        labels=_zero("self"),
    ),
    Family(
        "root-of-a-negative-number",
        "the root of a negative number is not defined; a variance computed as E[x^2] - E[x]^2 can "
        "become slightly negative by rounding",
        "clamp the argument: x.clamp_min(0), or compute the variance with torch.var",
        operations=_set("sqrt rsqrt pow"),
        labels=(_set("self=negative"),),
        whats=_set("NaN"),  # a square of what is negative can only be too large
    ),
    Family(
        "beyond-its-domain",
        "the function is not defined there",
        "clamp the argument to the domain of the function",
        operations=_set("acos asin atanh acosh erfinv logit lgamma digamma"),
    ),
    Family(
        "spread-of-one-value",
        "the standard deviation of a single value is 0/0 with the usual correction",
        "pass correction=0 (unbiased=False), or leave out groups of one",
        operations=_set("std var std_mean var_mean"),
    ),
    Family(
        "mean-of-nothing",
        "the mean of no elements is 0/0",
        "leave out empty selections: x[mask].mean() if mask.any()",
        operations=_set("mean"),
    ),
    Family(
        "float16-overflows",
        "float16 holds at most 65,504",
        "bf16=True instead of fp16=True, which reaches as far as float32; or compute this "
        "operation in float32 (with torch.autocast(..., enabled=False))",
        labels=_HALF,
        whats=_set("inf -inf"),
    ),
    Family(
        "float16-overflows",
        "float16 holds at most 65,504; inf - inf within the product is NaN",
        "bf16=True instead of fp16=True, which reaches as far as float32",
        operations=_PRODUCTS,
        labels=_HALF,
    ),
    Family(
        "exp-overflows",
        "exp(x) is infinite in float32 and bfloat16 for x above 88.7",
        "subtract the largest value first (torch.softmax and torch.logsumexp do), use "
        "torch.nn.functional.softplus for log(1 + exp(x)), or clamp x to at most 80",
        operations=_EXPS,
        whats=_set("inf -inf NaN"),
    ),
    Family(
        "infinity-minus-infinity",
        "inf - inf is not defined",
        "keep the infinities from coming up where they are made",
        operations=_set("sub add sum mean cumsum rsub"),
        labels=_INFINITE,
    ),
    Family(
        "infinity-times-zero",
        "inf x 0 is not defined; multiplying by a mask does not remove what is infinite",
        "use torch.where(mask, x, 0.0) instead of x * mask, and keep the infinity from coming up",
        operations=_PRODUCTS,
        labels=_INFINITE,
    ),
    Family(
        "infinity-over-infinity",
        "inf / inf is not defined",
        "keep the infinities from coming up where they are made",
        operations=_DIVISIONS,
        labels=_INFINITE,
    ),
    Family(
        "too-large",
        "the result is larger than its dtype can hold: the training diverges, or a value in the "
        "data is far too large",
        "scale the inputs, clip gradients (max_grad_norm=1.0), lower learning_rate",
        operations=_PRODUCTS
        | _set("add sum pow cumsum prod cumprod linalg_vector_norm norm")
        | _set("mse_loss huber_loss smooth_l1_loss square"),
        whats=_set("inf -inf"),
    ),
    Family(
        "derivative-of-exp",
        "the derivative of what overflowed is infinite as well",
        "clamp the argument, or compute with logarithms",
        nodes=_set("ExpBackward SinhBackward CoshBackward"),
        when=BACKWARD,
    ),
    Family(
        "constant-that-is-not-finite",
        "the code itself writes the value",
        "write a finite value: 0.0, or torch.finfo(x.dtype).min in a mask",
        operations=_MASKS,
    ),
)

CAME_WITH_DATA = (
    "the value stands in the data itself",
    "drop or fill such rows before the training: dataset.filter(...), DataFrame.dropna()",
)
CAME_WITH_WEIGHTS = (
    "the value stands in the weights as they were loaded",
    "go back to the last checkpoint whose weights are finite, or load the model anew",
)
CAME_WITH_TENSOR = (
    "the value stands in a tensor that is neither an input, a parameter nor a buffer",
    "look at where the code makes that tensor; register_buffer gives it a name",
)
WEIGHS_INFINITELY = (
    (
        "it holds inf, as a division by zero gives it (1 / count, for a class that never occurs), "
        "and inf x 0 is not defined"
    ),
    "keep it finite where it is made: 1 / count.clamp(min=1)",
)
WEIGHING = _PRODUCTS | _set("div nll_loss_forward nll_loss2d_forward cross_entropy_loss")
"""To what these are given, an infinity is no mask."""
DIVERGING = _set(
    "too-large update-overflows infinity-minus-infinity infinity-times-zero "
    "infinity-over-infinity float16-overflows"
) | {""}
"""What comes of a training that has diverged, and tells nothing by itself."""
UNKNOWN_FAMILY = (
    "",
    "print what goes into this operation, and keep it within the range in which it is defined",
)


def family(
    operation: str, node: str, when: str, what: str, labels: frozenset[str]
) -> Family | None:
    """Return the family of a birth, the first of the table that fits."""
    name = operation.removeprefix("aten.").removesuffix("_")
    stem = node.rstrip("0123456789")
    told = (family for family in FAMILIES if family.fits(name, stem, when, what, labels))
    return next(told, None)

"""Operations of TensorFlow and JAX under the names by which families of faults are told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipedoctor.frameworks.tracing import families

HUGE = 1e30
"""Beyond this lie the numbers that masks are made of."""

MOST = 3

ATEN = {
    "Log": "log",
    "Log1p": "log1p",
    "Sqrt": "sqrt",
    "Rsqrt": "rsqrt",
    "Exp": "exp",
    "Expm1": "expm1",
    "Sinh": "sinh",
    "Cosh": "cosh",
    "Pow": "pow",
    "Acos": "acos",
    "Asin": "asin",
    "Atanh": "atanh",
    "Acosh": "acosh",
    "Reciprocal": "reciprocal",
    "Inv": "reciprocal",
    "RealDiv": "div",
    "Div": "div",
    "Xdivy": "div",
    "Xlogy": "xlogy",
    "MatMul": "mm",
    "BatchMatMulV2": "bmm",
    "BatchMatMulV3": "bmm",
    "Einsum": "matmul",
    "_FusedMatMul": "addmm",
    "Conv1D": "convolution",
    "Conv2D": "convolution",
    "Mul": "mul",
    "Add": "add",
    "AddV2": "add",
    "AddN": "sum",
    "Sub": "sub",
    "Sum": "sum",
    "BiasAdd": "add",
    "Square": "mul",
    "SquaredDifference": "mul",
    "Prod": "prod",
    "Mean": "mean",
    "Cumsum": "cumsum",
    "Softmax": "_softmax",
    "LogSoftmax": "_log_softmax",
    "Fill": "full",
    "SelectV2": "where",
    "Select": "where",
    "Cast": "_to_copy",
    "Lgamma": "lgamma",
    "Digamma": "digamma",
    "Erfinv": "erfinv",
    "exp": "exp",
    "log": "log",
    "log1p": "log1p",
    "expm1": "expm1",
    "sqrt": "sqrt",
    "rsqrt": "rsqrt",
    "div": "div",
    "mul": "mul",
    "add": "add",
    "sub": "sub",
    "pow": "pow",
    "integer_pow": "pow",
    "add_any": "add",
    "reduce_sum": "sum",
    "dot_general": "mm",
    "conv_general_dilated": "convolution",
    "square": "mul",
    "select_n": "where",
    "convert_element_type": "_to_copy",
    "broadcast_in_dim": "full",
    "acos": "acos",
    "asin": "asin",
    "cumsum": "cumsum",
}
"""The name in torch, which the table of families uses."""

DERIVED = {
    "log": "LogBackward",
    "log1p": "Log1PBackward",
    "sqrt": "SqrtBackward",
    "rsqrt": "RsqrtBackward",
    "pow": "PowBackward",
    "div": "DivBackward",
    "reciprocal": "ReciprocalBackward",
    "acos": "AcosBackward",
    "asin": "AsinBackward",
    "exp": "ExpBackward",
    "sinh": "SinhBackward",
    "cosh": "CoshBackward",
    "xlogy": "XlogyBackward",
}

MASKING = frozenset({"full", "where"})
MASK_ARITHMETIC = frozenset({"_to_copy", "add", "sub", "mul"})

CURES = {
    "log-of-zero": "keep the argument above 0: keras.ops.log(keras.ops.maximum(x, 1e-7)); for "
    "probabilities, give the loss logits and from_logits=True",
    "log-of-a-negative-number": "keep the argument above 0: keras.ops.maximum(x, 1e-7), or find "
    "out why it is negative",
    "root-has-no-slope-at-zero": "keep the argument above 0: "
    "keras.ops.sqrt(keras.ops.maximum(x, 1e-12)); keras.ops.norm has the same fault",
    "root-of-a-negative-number": "keep the argument at 0 or above: keras.ops.maximum(x, 0.0), or "
    "compute the variance with keras.ops.var",
    "where-does-not-shield-the-gradient": "make the argument safe before the operation: "
    "x = keras.ops.where(ok, x, 1.0), apply the operation to that, and then "
    "keras.ops.where(ok, result, 0.0)",
    "division-by-zero": "keep the divisor away from 0: x / keras.ops.maximum(y, 1e-7), or "
    "keras.ops.divide_no_nan(x, y), which gives 0 there",
    "power-of-zero": "keep the base above 0: keras.ops.maximum(x, 1e-7)",
    "angle-at-its-end": "keep the argument inside: keras.ops.clip(x, -1 + 1e-7, 1 - 1e-7)",
    "norm-of-zero": "add an eps under the root, or keras.ops.normalize(x, epsilon=1e-6)",
    "nothing-but-masked": "leave at least one position open in each row, or mask with a large "
    "negative number (-1e9) instead of -inf",
    "exp-overflows": "subtract the largest value first (keras.ops.softmax and keras.ops.logsumexp "
    "do), use keras.ops.softplus for log(1 + exp(x)), or keras.ops.clip(x, -80, 80)",
    "infinity-times-zero": "use keras.ops.where(mask, x, 0.0) instead of x * mask, and keep the "
    "infinity from coming up",
    "float16-overflows": 'keras.mixed_precision.set_global_policy("mixed_bfloat16"), which '
    'reaches as far as float32; or give this layer dtype="float32"',
    "gradient-overflows-in-float16": 'keras.mixed_precision.set_global_policy("mixed_bfloat16")',
    "eps-lost-in-float16": 'use an eps of 1e-4, or give this layer dtype="float32"',
    "optimizer-divides-by-zero": "set the optimizer's epsilon: keras.optimizers.Adam("
    "epsilon=1e-7)",
    "update-overflows": "lower learning_rate, clip gradients (global_clipnorm=1.0)",
    "too-large": "scale the inputs, clip gradients (global_clipnorm=1.0 in the optimizer), lower "
    "learning_rate",
    "constant-that-is-not-finite": "write a finite value: 0.0, or -1e9 in a mask",
    "spread-of-one-value": "leave out groups of one",
    "mean-of-nothing": "leave out empty selections",
    "not-finite-in-the-data": "drop or fill such rows before fit: "
    "keep = numpy.isfinite(x).all(axis=1); x, y = x[keep], y[keep]",
    "not-finite-in-the-weights": "go back to weights that are finite: "
    "model.load_weights(...) of an earlier checkpoint, or build the model anew",
}
"""What cures a family, in the words of Keras."""


def cure(family: str, usual: str) -> str:
    """Return the cure in the words of Keras, where torch has others."""
    return CURES.get(family, usual)


def kin(
    operation: str, forward: str, when: str, what: str, labels: frozenset[str]
) -> families.Family | None:
    """Return the family of a birth; `forward` is the operation whose derivative is computed."""
    node = DERIVED.get(ATEN.get(forward, ""), forward and f"{forward}Backward")
    return families.family(ATEN.get(operation, operation), node, when, what, labels)


def described(inputs: Sequence[Any], bad: Any) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return sentences about the operands where the result is bad, and labels of what they are."""
    told: list[str] = []
    labels = {f"dtype={one.dtype}" for one in inputs if one is not None}
    inputs = [
        None if one is None else one.astype("float64") if one.dtype.kind == "f" else one
        for one in inputs
    ]
    names = ("self", "other", "third")
    words = ("its argument",) if len(inputs) == 1 else ("the first operand", "the second operand")
    for place, held in enumerate(inputs[:MOST]):
        if held is None:
            continue
        sentence, found = _operand(held, bad)
        labels |= {f"{names[place]}={label}" for label in found}
        told.append(f"{words[place] if place < len(words) else 'the third operand'}{sentence}")
    return tuple(told), frozenset(labels)


def _operand(held: Any, bad: Any) -> tuple[str, set[str]]:
    import numpy as np

    there = None
    try:
        if np.broadcast_shapes(held.shape, bad.shape) == bad.shape:
            there = np.broadcast_to(held, bad.shape)[bad]
    except ValueError:
        pass
    rest = held[np.isfinite(held)]
    span = _span(rest) if rest.size else "nowhere finite"
    if there is None:
        return f" is {span}", _labels(held, np.any)
    told = "NaN" if np.isnan(there).any() else _span(there)
    return f" is {told} there ({span} in all)", _labels(there, np.all)


def _labels(values: Any, of: Any) -> set[str]:
    import numpy as np

    masks = {"zero": values == 0, "negative": values < 0, "-inf": values == -np.inf}
    found = {name for name, mask in masks.items() if of(mask)}
    anywhere = {"inf": np.isinf(values), "nan": np.isnan(values), "lowest": values < -HUGE}
    return found | {name for name, mask in anywhere.items() if mask.any()}


def _span(values: Any) -> str:
    low, high = float(values.min()), float(values.max())
    return f"{low:.4g}" if low == high else f"{low:.4g} to {high:.4g}"

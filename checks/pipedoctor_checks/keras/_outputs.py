"""What an output, its loss and its labels say of each other."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from pipedoctor.facts import Outputs
from pipedoctor.facts.outputs import GRAPH, Output, Targets

SPARSE = frozenset({"sparse_categorical_crossentropy"})
CATEGORICAL = frozenset({"categorical_crossentropy", "categorical_focal_crossentropy"})
BINARY = frozenset({"binary_crossentropy", "binary_focal_crossentropy"})
CROSS_ENTROPIES = SPARSE | CATEGORICAL | BINARY
DISTANCES = frozenset(
    {
        "mean_squared_error",
        "mean_absolute_error",
        "mean_absolute_percentage_error",
        "mean_squared_logarithmic_error",
        "log_cosh",
        "huber",
    }
)
"""Losses that compare numbers one by one, and broadcast them if they can."""

PROBABILITIES = frozenset({"softmax", "sigmoid"})
SCORES = frozenset(
    {"linear", "relu", "tanh", "elu", "selu", "gelu", "leaky_relu", "silu", "swish", "softplus"}
)
"""Activations whose values are no probabilities."""

RANGES = {
    "sigmoid": (0.0, 1.0),
    "hard_sigmoid": (0.0, 1.0),
    "softmax": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "softsign": (-1.0, 1.0),
    "relu": (0.0, inf),
    "relu6": (0.0, 6.0),
    "softplus": (0.0, inf),
    "exponential": (0.0, inf),
}
"""What an activation can give out."""


def compared(outputs: Outputs) -> Iterator[tuple[Output, str]]:
    """Yield each output that has a loss of Keras' own, and the name of the loss."""
    for one in outputs.outputs:
        if one.loss is not None and not one.loss.own:
            yield one, one.loss.name


def layer(one: Output, *, first: bool = False) -> str:
    """Return the layer as a sentence names it: the last layer, dense_2 (Dense, 3 units)."""
    about = [one.kind] if one.kind else []
    if one.units is not None:
        about.append(f"{one.units} unit{'' if one.units == 1 else 's'}")
    name = one.layer or one.name
    return f"{'T' if first else 't'}he last layer, {name}" + (
        f" ({', '.join(about)})" if about else ""
    )


def given(activation: str) -> str:
    """Return an activation as a sentence names it."""
    return "no activation" if activation == "linear" else f"activation {activation}"


def is_probability(one: Output) -> bool:
    """Whether the answers to the first batch could all be probabilities."""
    return one.minimum is not None and one.minimum >= 0 and (one.maximum or 0) <= 1


def sure(one: Output) -> bool:
    """Whether the activation was told by the layers, not only by some numbers."""
    return one.told_by == GRAPH


def row(targets: Targets) -> str:
    """Return the shape of the labels of a row in words."""
    if targets.shape in {(), (1,)}:
        return "one number a row"
    return f"{' by '.join(str(size) for size in targets.shape)} numbers a row"


def single(targets: Targets, one: Output) -> bool:
    """Whether each row (or token, or pixel) has one number, where the output has its units."""
    inner = tuple(one.shape[1:-1])
    return targets.shape in {inner, (*inner, 1)}


def beside(targets: Targets, one: Output) -> bool:
    """Whether the labels have as many axes as the outputs, and more than one number on the last."""
    return len(targets.shape) == len(one.shape) - 1 and targets.shape[-1:] not in {(), (1,)}


def written(loss: str, *, logits: bool, library: str = "keras") -> str:
    """Return a cross-entropy as it is written in a script."""
    words = loss.split("_")
    name = "".join(word.title() for word in words)
    return f"{library}.losses.{name}({'from_logits=True' if logits else ''})"


def activation_for(loss: str) -> str:
    """Return the activation whose probabilities a cross-entropy takes."""
    return "sigmoid" if loss in BINARY else "softmax"

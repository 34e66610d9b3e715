"""Which activation an output went through last, by the graph of layers or by what was called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipedoctor.facts.outputs import GRAPH, VALUES
from pipedoctor.frameworks.fitting.stack import activation
from pipedoctor.frameworks.fitting.watching import Called

PASSING = frozenset(
    {
        "Cropping1D",
        "Cropping2D",
        "Dropout",
        "Flatten",
        "GaussianDropout",
        "GaussianNoise",
        "Identity",
        "Permute",
        "RepeatVector",
        "Reshape",
        "Squeeze",
        "ExpandDims",
        "Transpose",
        "GetItem",
        "SpatialDropout1D",
        "SpatialDropout2D",
        "UpSampling1D",
        "UpSampling2D",
        "Cast",
    }
)
"""Layers and operations after which every number is what it was, or none at all."""

OPERATIONS = {
    "LogSoftmax": "log_softmax",
    "Relu": "relu",
    "Sigmoid": "sigmoid",
    "Softmax": "softmax",
    "Softplus": "softplus",
    "Tanh": "tanh",
}
"""The operations of keras.ops that are activations."""

FURTHEST = 50
"""So many layers are gone back at most."""


@dataclass(frozen=True)
class End:
    """The layer that an output comes from, and the activation it went through last."""

    layer: Any = None
    activation: str = ""
    told_by: str = ""


def of_graph(tensor: Any) -> End:
    """Follow an output of a graph of layers back to its last activation."""
    first: Any = None
    for _ in range(FURTHEST):
        history = getattr(tensor, "_keras_history", None)
        if history is None:
            break
        layer = history.operation
        first = layer if first is None else first
        inner = _inner_output(layer, history.tensor_index)
        if inner is not None:
            found = of_graph(inner)
            return found if first is layer else End(first, found.activation, found.told_by)
        name = _activation(layer)
        if name is not None:
            return End(first, name, GRAPH)
        if type(layer).__name__ not in PASSING:
            break
        tensor = layer._inbound_nodes[history.node_index].input_tensors[0]  # noqa: SLF001 - the graph is in no public place
    return End(first)


def _inner_output(layer: Any, index: int) -> Any:
    """Return the output inside of a model that stands in the graph as a layer."""
    if not hasattr(layer, "fit"):
        return None
    outputs = getattr(layer, "outputs", None) or ()
    return outputs[index] if index < len(outputs) else None


def of_calls(tensor: Any, called: Sequence[Called]) -> End:
    """Find the layer that gave an output back, and go back from there as in a graph."""
    first: Any = None
    for _ in range(FURTHEST):
        made = [
            one
            for one in called
            if any(output is tensor for output in one.outputs) and not _holds(one, called, tensor)
        ]
        if not made:
            break
        one = made[0]
        first = one.layer if first is None else first
        name = _activation(one.layer)
        if name is not None:
            return End(first, name, GRAPH)
        if type(one.layer).__name__ not in PASSING or not one.inputs:
            break
        tensor = one.inputs[0]
    return End(first)


def _holds(one: Called, called: Sequence[Called], tensor: Any) -> bool:
    """Whether a layer only hands on what a layer inside of it gave back."""
    inner = {id(layer) for layer in getattr(one.layer, "_layers", ())}
    deeper = (other for other in called if id(other.layer) in inner)
    return any(output is tensor for other in deeper for output in other.outputs)


def _activation(layer: Any) -> str | None:
    kind, module = type(layer).__name__, type(layer).__module__
    if ".ops." in module or module.endswith(".ops"):
        return OPERATIONS.get(kind)
    return activation(layer)


def of_values(array: Any) -> End:
    """
    Tell the activation by what came out of it.

    Only a softmax shows itself: several numbers a row, none below 0, that add up to 1 in each.
    """
    import numpy as np

    if array is None or array.ndim < 2 or array.shape[-1] < 2 or len(array) < 2:
        return End()
    sums = array.astype("float64").sum(axis=-1)
    if (array >= 0).all() and np.allclose(sums, 1.0, atol=1e-3):
        return End(None, "softmax", VALUES)
    return End()

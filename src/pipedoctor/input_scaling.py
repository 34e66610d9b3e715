"""Inputs on their way into a model: which layer takes them first, and what its weights are made for."""

from __future__ import annotations

from pipedoctor.facts.inputs import Input, Inputs
from pipedoctor.facts.layers import Layers

THROUGH = frozenset(
    {"Dropout", "Flatten", "InputLayer", "Permute", "RepeatVector", "Reshape", "ZeroPadding2D"}
)
"""Layers that leave the numbers as they are, or nearly."""

TAKING = frozenset(
    {"Dense", "Conv1D", "Conv2D", "Conv3D", "LSTM", "GRU", "SimpleRNN", "SeparableConv2D"}
)
"""Layers whose weights start small enough for inputs of size 1."""

BRIGHTEST = 255.0
BRIGHT = 128
"""
Whole numbers up to 255 that reach this are bytes of an image.

It is the upper half of what a byte holds: an image without any pixel so bright is rare, and
smaller whole numbers may be counts, or categories.
"""

WIDE = 1000.0
"""A column with a larger standard deviation brings sums beyond 100: weights start near 0.1."""

RESCALE = "keras.layers.Rescaling(1 / 255) as the first layer, or x = x / 255"
NORMALIZE = "norm = keras.layers.Normalization(); norm.adapt(x); and norm as the first layer"
"""How inputs are brought to size 1."""


def first_weights(one: Input, inputs: Inputs, layers: Layers) -> str:
    """Return the class of the first layer of weights that takes an input as it is, "" if none does."""
    kind = one.layer
    if kind in THROUGH and layers.form == "Sequential" and len(inputs.inputs) == 1:
        kind = next((layer.kind for layer in layers.layers if layer.kind not in THROUGH), "")
    return kind if kind in TAKING else ""


def pixels(one: Input) -> bool:
    """Whether an input holds the bytes of images."""
    if one.minimum is None or one.maximum is None:
        return False
    image = len(one.shape) >= 2 or one.features >= 64
    return image and one.whole and one.minimum >= 0 and BRIGHT <= one.maximum <= BRIGHTEST

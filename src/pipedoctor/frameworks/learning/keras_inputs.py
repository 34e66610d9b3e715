"""Inputs that are far from the size that new weights are made for, as a reason for a slow start."""

from __future__ import annotations

from collections.abc import Iterator

from pipedoctor.facts.inputs import Input, Inputs
from pipedoctor.facts.layers import Layers
from pipedoctor.facts.overfit import Reason

THROUGH = frozenset({"Dropout", "Flatten", "InputLayer", "Permute", "Reshape", "ZeroPadding2D"})
"""Layers that leave the numbers as they are, or nearly."""

TAKING = frozenset({"Dense", "Conv1D", "Conv2D", "Conv3D", "LSTM", "GRU", "SimpleRNN"})
"""Layers whose weights start small enough for inputs of size 1."""

DARKEST, BRIGHTEST = 128, 255
"""Whole numbers up to the latter that reach the former are bytes of an image."""

WIDE = 1000.0
"""A column with a larger standard deviation brings sums beyond 100: weights start near 0.1."""


def unscaled(inputs: Inputs | None, layers: Layers | None) -> Iterator[Reason]:
    """Yield each input that goes into a layer of weights as it is, as DAT017 has it."""
    if inputs is None or layers is None:
        return
    for one in inputs.inputs:
        if one.minimum is None or one.maximum is None or one.std is None:
            continue
        layer = _first(one, layers, single=len(inputs.inputs) == 1)
        pixels = _pixels(one, one.minimum, one.maximum)
        if layer not in TAKING or not (pixels or (one.scales and one.scales[1] > WIDE)):
            continue
        yield Reason(
            "inputs-not-scaled",
            f"the inputs {one.name} go from {one.minimum:.4g} to {one.maximum:.4g} (standard "
            f"deviation {one.std:.3g}), and into {layer} as they are: its weights start at a size "
            "for inputs near 1",
            "keras.layers.Rescaling(1 / 255) as the first layer, or x = x / 255"
            if pixels
            else "norm = keras.layers.Normalization(); norm.adapt(x); and norm as the first layer",
            "DAT017",
            evidence={"input": one.name, "minimum": one.minimum, "maximum": one.maximum},
        )


def _first(one: Input, layers: Layers, *, single: bool) -> str:
    """Return the class of the first layer that does something to this input, "" if not known."""
    if one.layer not in THROUGH or layers.form != "Sequential" or not single:
        return one.layer
    return next((layer.kind for layer in layers.layers if layer.kind not in THROUGH), "")


def _pixels(one: Input, low: float, high: float) -> bool:
    image = len(one.shape) >= 2 or one.features >= 64
    return image and one.whole and low >= 0 and DARKEST <= high <= BRIGHTEST

"""Inputs that are far from the size that new weights are made for, as a reason for a slow start."""

from __future__ import annotations

from collections.abc import Iterator

from pipedoctor.facts.inputs import Inputs
from pipedoctor.facts.layers import Layers
from pipedoctor.facts.overfit import Reason
from pipedoctor.input_scaling import NORMALIZE, RESCALE, WIDE, first_weights, pixels


def unscaled(inputs: Inputs | None, layers: Layers | None) -> Iterator[Reason]:
    """Yield each input that goes into a layer of weights as it is, as DAT017 has it."""
    if inputs is None or layers is None:
        return
    for one in inputs.inputs:
        if one.minimum is None or one.maximum is None or one.std is None:
            continue
        layer = first_weights(one, inputs, layers)
        if not layer or not (pixels(one) or (one.scales and one.scales[1] > WIDE)):
            continue
        yield Reason(
            "inputs-not-scaled",
            f"the inputs {one.name} go from {one.minimum:.4g} to {one.maximum:.4g} (standard "
            f"deviation {one.std:.3g}), and into {layer} as they are: its weights start at a size "
            "for inputs near 1",
            RESCALE if pixels(one) else NORMALIZE,
            "DAT017",
            evidence={"input": one.name, "minimum": one.minimum, "maximum": one.maximum},
        )

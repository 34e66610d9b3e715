from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Outputs
from pipedoctor.facts.outputs import Output, Targets
from pipedoctor_checks.keras._outputs import BINARY, DISTANCES, RANGES, compared, given, layer

_SLACK = 1e-3
"""Labels that are beyond by no more than this share of their range are rounding."""


@check("DAT022", Severity.ERROR, stage=Stage.LOSS, explains=("LOS002", "LOS003"))
def targets_out_of_reach(outputs: Outputs) -> Iterator[Finding]:
    """
    Some labels are numbers that the activation of the last layer can't give out.

    A sigmoid gives 0 to 1, tanh -1 to 1, relu nothing below 0. Of targets beyond that, the model
    learns to give the nearest it can, and the loss stops there. Numbers of any size take a last
    layer without activation; the binary cross-entropy takes labels from 0 to 1 only.

    Fails:

        import keras
        import numpy as np

        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])
        model.compile(optimizer="adam", loss="mse")
        x = np.random.default_rng(0).normal(size=(60, 4))
        y = 20 + 5 * x[:, :1]

    Passes:

        import keras
        import numpy as np

        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        model.compile(optimizer="adam", loss="mse")
        x = np.random.default_rng(0).normal(size=(60, 4))
        y = 20 + 5 * x[:, :1]

    See also: <https://keras.io/api/layers/activations/>.
    """
    for one, loss in compared(outputs):
        targets = one.targets
        if targets is None or targets.minimum is None or targets.maximum is None:
            continue
        if loss in BINARY:
            yield from _binary(one, targets, targets.minimum, targets.maximum)
            continue
        low, high = RANGES.get(one.activation, (None, None))
        if loss not in DISTANCES or low is None or high is None:
            continue
        slack = _SLACK * (targets.maximum - targets.minimum)
        below, above = targets.minimum < low - slack, targets.maximum > high + slack
        if not below and not above:
            continue
        end = f"{low:g} to {high:g}" if high < float("inf") else f"nothing below {low:g}"
        yield Finding(
            message=f"The labels go from {targets.minimum:g} to {targets.maximum:g}, and "
            f"{layer(one)}, with {given(one.activation)}, gives {end}",
            where=one.where,
            evidence=_evidence(one, targets),
            remedy="no activation in the last layer (activation=None, which is linear)",
            alternatives=(f"bring the labels to {end}",) if high < float("inf") else (),
        )


def _binary(one: Output, targets: Targets, low: float, high: float) -> Iterator[Finding]:
    """Tell of labels that the binary cross-entropy takes for no share of two classes."""
    if low >= -_SLACK and high <= 1 + _SLACK:
        return
    if targets.distinct == 2:
        remedy = f"y = (y == {high:g}).astype(int): the two classes as 0 and 1"
    elif targets.whole and targets.distinct is not None:
        remedy = (
            f'{targets.distinct} units with activation="softmax" and '
            'loss="sparse_categorical_crossentropy", if the labels are classes'
        )
    else:
        remedy = 'loss="mse" and no activation in the last layer, if the labels are quantities'
    yield Finding(
        message=f"The labels go from {low:g} to {high:g}, and binary_crossentropy takes 0 to 1: "
        "beyond that it falls without limit",
        where=one.loss.where if one.loss is not None else one.where,
        evidence=_evidence(one, targets),
        remedy=remedy,
    )


def _evidence(one: Output, targets: Targets) -> dict[str, object]:
    return {
        "output": one.name,
        "activation": one.activation or None,
        "loss": one.loss.name if one.loss is not None else None,
        "minimum": targets.minimum,
        "maximum": targets.maximum,
    }

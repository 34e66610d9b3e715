from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Outputs
from pipedoctor.facts.outputs import Output, Targets
from pipedoctor_checks.keras import _in_text
from pipedoctor_checks.keras._outputs import (
    BINARY,
    CATEGORICAL,
    DISTANCES,
    SPARSE,
    beside,
    compared,
    layer,
    row,
    single,
)


@check(
    "KER007",
    Severity.ERROR,
    stage=Stage.LOSS,
    symptoms={
        r"Arguments `target` and `output` must have the same (shape|rank)": (
            "one-hot labels take categorical_crossentropy, and class numbers the sparse one; the "
            "last layer needs a unit for each class"
        ),
        r"Argument `output` must have rank \(ndim\) `target.ndim - 1`": (
            "one-hot labels take categorical_crossentropy, and class numbers the sparse one; the "
            "last layer needs a unit for each class"
        ),
        r"Shapes \(.*\) and \(.*\) are incompatible": (
            "one-hot labels take categorical_crossentropy, and class numbers the sparse one; the "
            "last layer needs a unit for each class"
        ),
    },
    in_text=_in_text.labels_in_another_form,
)
def labels_in_another_form(outputs: Outputs) -> Iterator[Finding]:
    """
    The labels are one-hot, and the loss takes class numbers; or they have other classes than units.

    `to_categorical` makes a row of zeros and a one of each class number, which
    `categorical_crossentropy` takes. `sparse_categorical_crossentropy` takes the numbers
    themselves, and refuses rows. Either way the last layer needs one unit for each class.

    Fails:

        script = '''
        import keras

        y = keras.utils.to_categorical(labels, 10)
        model = keras.Sequential([keras.layers.Dense(10, activation="softmax")])
        model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
        model.fit(x, y)
        '''

    Passes:

        import keras
        import numpy as np

        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
        model.compile(optimizer="adam", loss="categorical_crossentropy")
        x = np.random.default_rng(0).normal(size=(60, 4))
        y = keras.utils.to_categorical(np.arange(60) % 3, 3)

    See also: <https://github.com/tensorflow/tensorflow/issues/52060>.
    """
    for one, loss in compared(outputs):
        if one.targets is None or one.units is None or not one.shape:
            continue
        found = _clash(one, one.targets, loss)
        if found is not None:
            yield found


def _clash(one: Output, targets: Targets, loss: str) -> Finding | None:
    """Return what is wrong with the form of the labels, if anything is."""
    units = one.units or 0
    if loss in SPARSE and beside(targets, one) and units > 1:
        if not targets.one_hot:
            return None
        return _told(
            one,
            f"The labels are one-hot ({row(targets)}), and {loss} takes one class number",
            'loss="categorical_crossentropy"',
            "y = y.argmax(axis=-1)",
        )
    if loss in CATEGORICAL and single(targets, one) and units > 1 and targets.whole:
        return _told(
            one,
            f"The labels are class numbers ({row(targets)}, {targets.minimum:g} to "
            f"{targets.maximum:g}), and {loss} takes rows of {units}",
            'loss="sparse_categorical_crossentropy"',
            f"y = keras.utils.to_categorical(y, {units})",
        )
    width = targets.shape[-1] if targets.shape else None
    if (
        loss in CATEGORICAL | BINARY | DISTANCES
        and beside(targets, one)
        and width not in {None, units}
    ):
        if units == 1 and loss not in DISTANCES:
            return None  # categorical-loss-on-one-unit speaks of that
        return _told(
            one,
            f"The labels have {row(targets)}, and {layer(one)}, gives {units}",
            f"a last layer of {width} units",
            "labels of the width of the output",
        )
    if loss in DISTANCES | BINARY and single(targets, one) and units > 1:
        return _told(
            one,
            f"The labels are {row(targets)}, and {layer(one)}, gives {units}: {loss} compares each "
            "of them with the same number",
            'loss="sparse_categorical_crossentropy" with activation="softmax", for class numbers'
            if targets.whole
            else "a last layer of 1 unit",
            "labels of the width of the output",
        )
    return None


def _told(one: Output, message: str, remedy: str, other: str) -> Finding:
    targets, loss = one.targets, one.loss
    return Finding(
        message=message,
        where=loss.where if loss is not None else one.where,
        evidence={
            "output": one.name,
            "units": one.units,
            "labels": list(targets.shape) if targets is not None else None,
            "loss": loss.name if loss is not None else None,
        },
        remedy=remedy,
        alternatives=(other,),
    )

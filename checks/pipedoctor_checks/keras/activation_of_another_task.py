from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Compiled, Outputs
from pipedoctor.facts.outputs import Output
from pipedoctor_checks.keras._outputs import (
    BINARY,
    CATEGORICAL,
    CROSS_ENTROPIES,
    SPARSE,
    compared,
    layer,
)

_CUT_OFF = frozenset({"relu", "relu6", "elu", "selu", "gelu", "silu", "swish", "softplus"})

_SLOWER = 4
"""More classes than these make the steps of SGD so many times shorter, which no choice of a rate is."""


@check("KER017", Severity.WARNING, stage=Stage.LOSS, explains=("LOS002", "LOS003"))
def activation_of_another_task(
    outputs: Outputs, compiled: Compiled | None = None
) -> Iterator[Finding]:
    """
    The activation of the last layer is for another kind of labels than those that there are.

    A softmax shares 1 among the classes of a row, so it can't say that a row has two of them; a
    sigmoid judges each on its own, which one label a row does not ask for. Activations of hidden
    layers cut off what a class is to score below zero, and a unit that is below zero for every
    row never learns again.

    A softmax over classes of which each row has one goes with `categorical_crossentropy`. With
    `binary_crossentropy`, the mean over n classes, the gradients are n - 1 times smaller where all
    classes are as likely: of ten digits, a small network had 0.79 to 0.84 of the rows right after
    10 epochs of SGD, and 0.19 to 0.29 with the binary loss. Adam and RMSprop, which scale their
    gradients, did as well with both: there it is a note. For two classes the two are the same.

    Fails:

        import keras
        import numpy as np

        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="relu")])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer="adam", loss=loss)
        x = np.random.default_rng(0).normal(size=(60, 4))
        y = np.arange(60) % 3

    Passes:

        import keras
        import numpy as np

        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer="adam", loss=loss)
        x = np.random.default_rng(0).normal(size=(60, 4))
        y = np.arange(60) % 3

    See also: <https://keras.io/api/losses/probabilistic_losses/>.
    """
    for one, loss in compared(outputs):
        if one.units is None or one.units == 1 or one.loss is None:
            continue
        if loss in CROSS_ENTROPIES and one.loss.from_logits and one.activation in _CUT_OFF:
            yield _told(
                one,
                f"{layer(one, first=True)}, has activation {one.activation}, which cuts off scores "
                f"below 0, and {loss} takes scores of any size",
                "no activation in the last layer",
            )
        elif loss in CATEGORICAL | SPARSE and one.activation == "sigmoid":
            yield _told(
                one,
                f"{layer(one, first=True)}, has a sigmoid, which judges each class on its own, and "
                f"{loss} compares the classes of a row",
                'activation="softmax" in the last layer',
                'loss="binary_crossentropy", if a row may have several labels',
            )
        elif one.activation == "softmax" and loss in BINARY | CATEGORICAL and _several(one):
            yield _told(
                one,
                f"The rows have {_ones(one):.2g} labels each on average, and {layer(one)}, has a "
                "softmax, which shares 1 among them",
                'activation="sigmoid" with loss="binary_crossentropy"',
                severity=Severity.ERROR,
            )
        elif one.activation == "softmax" and loss in BINARY and one.units > 2 and _one_each(one):
            slow = _plain(compiled) and one.units > _SLOWER
            yield _told(
                one,
                f"Each row has one of {one.units} classes, among which {layer(one)}, shares 1; "
                f"{loss} asks yes or no of each: its gradients start {one.units - 1} times smaller"
                + (", and so do the steps of SGD" if slow else ""),
                f'loss="{loss.replace("binary", "categorical")}"',
                'activation="sigmoid" in the last layer, if a row may have several labels',
                severity=None if slow else Severity.NOTE,
            )


def _ones(one: Output) -> float:
    targets = one.targets
    return (targets.mean or 0.0) * (one.units or 0) if targets is not None else 0.0


def _several(one: Output) -> bool:
    """Whether rows have more than one label, since there are more ones than rows."""
    targets = one.targets
    hot = targets is not None and bool(targets.multi_hot) and targets.shape[-1:] == (one.units,)
    return hot and _ones(one) > 1.0 + 1e-6


def _plain(compiled: Compiled | None) -> bool:
    """Whether the optimizer takes the gradients as long as they are."""
    known = compiled is not None and compiled.known("optimizer")
    return known and compiled is not None and compiled.optimizer == "SGD"


def _one_each(one: Output) -> bool:
    """Whether each row has one 1 among zeros, in the place of a unit."""
    targets = one.targets
    return targets is not None and bool(targets.one_hot) and targets.shape[-1:] == (one.units,)


def _told(
    one: Output, message: str, remedy: str, *others: str, severity: Severity | None = None
) -> Finding:
    return Finding(
        message=message,
        where=one.where,
        evidence={
            "output": one.name,
            "activation": one.activation,
            "told_by": one.told_by,
            "loss": one.loss.name if one.loss is not None else None,
        },
        remedy=remedy,
        alternatives=others,
        severity=severity,
    )

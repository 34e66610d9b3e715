from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Compiled, Fit
from pipedoctor.facts.fit import GENERATOR
from pipedoctor.units import count

FAR = 2
"""One step too many is rounding; an epoch of less than half of what is stated was not meant."""


@check(
    "KER008",
    Severity.WARNING,
    stage=Stage.DATA,
    symptoms={
        r"[Yy]our input ran out of data": (
            "leave steps_per_epoch out, or let the data repeat: dataset.repeat()"
        )
    },
)
def data_run_out(fit: Fit, compiled: Compiled) -> Iterator[Finding]:
    """
    The data ends before the epochs do, so that later epochs train on less, or on nothing.

    A Python generator can be gone through once: after it, Keras warns that the input ran out of
    data, and every further epoch is empty. With `steps_per_epoch` above what a data set holds,
    Keras 3 cuts each epoch short, and Keras 2 stops the training.

    Fails:

        import keras
        import numpy as np

        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        model.compile(optimizer="adam", loss="mse")
        rows = np.random.default_rng(0).normal(size=(5, 32, 4))
        x = ((row, row.sum(axis=1, keepdims=True)) for row in rows)
        epochs = 3

    Passes:

        import keras
        import numpy as np

        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        model.compile(optimizer="adam", loss="mse")
        x = np.random.default_rng(0).normal(size=(160, 4))
        y = x.sum(axis=1, keepdims=True)
        epochs = 3

    See also: <https://github.com/tensorflow/tensorflow/issues/25254>.
    """
    epochs = fit.epochs - fit.initial_epoch
    if fit.data == GENERATOR and not fit.reread and fit.steps_per_epoch is None and epochs > 1:
        yield Finding(
            message=f"The data is a generator, which can be gone through once: of {epochs} epochs "
            f"{_last(epochs - 1)} on nothing (or the first never ends)",
            where=fit.at("x"),
            evidence={"data": fit.data, "epochs": epochs},
            remedy="a class with __len__ and __getitem__ after keras.utils.PyDataset, or "
            "steps_per_epoch=… with a generator that starts again from its end",
        )
        return
    stated = fit.steps_per_epoch
    if stated is None or not fit.known("batches") or fit.batches is None:
        return
    legacy = compiled.library == "tf_keras"
    if stated > fit.batches:
        yield Finding(
            message=f"steps_per_epoch={stated} asks for more than the {count(fit.batches)} batches "
            "that there are: "
            + ("the training stops there" if legacy else "each epoch ends with these"),
            where=fit.at("steps_per_epoch"),
            evidence={"steps_per_epoch": stated, "batches": fit.batches, "epochs": epochs},
            remedy="leave steps_per_epoch out",
            alternatives=("let the data repeat: dataset.repeat()",),
            severity=None if legacy or FAR * fit.batches < stated else Severity.NOTE,
        )


def _last(epochs: int) -> str:
    return "the last trains" if epochs == 1 else f"the last {epochs} train"

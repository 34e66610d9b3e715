from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Outputs
from pipedoctor_checks.keras import _in_text
from pipedoctor_checks.keras._outputs import CATEGORICAL, SPARSE, compared, layer


@check(
    "KER015",
    Severity.ERROR,
    stage=Stage.LOSS,
    explains=("LOS002", "KER001"),
    in_text=_in_text.categorical_loss_on_one_unit,
)
def categorical_loss_on_one_unit(outputs: Outputs) -> Iterator[Finding]:
    """
    The model has one output unit, and a loss for several classes.

    `categorical_crossentropy` divides the outputs of a row by their sum, which for one unit gives
    1 and a loss of zero; `sparse_categorical_crossentropy` has no unit for the class 1. Two
    classes on one unit take `binary_crossentropy` with a sigmoid.

    Fails:

        script = '''
        import keras

        model = keras.Sequential([keras.layers.Dense(1, activation="sigmoid")])
        model.compile(optimizer="adam", loss="categorical_crossentropy")
        '''

    Passes:

        import keras
        import numpy as np

        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])
        model.compile(optimizer="adam", loss="binary_crossentropy")
        x = np.random.default_rng(0).normal(size=(60, 4))
        y = np.arange(60) % 2

    See also: <https://keras.io/api/losses/probabilistic_losses/>.
    """
    for one, loss in compared(outputs):
        if one.units == 1 and loss in CATEGORICAL | SPARSE and one.loss is not None:
            yield Finding(
                message=f"{loss} compares classes, and {layer(one)}, gives one number: there is "
                "nothing to compare",
                where=one.loss.where,
                evidence={"units": 1, "loss": loss, "activation": one.activation or None},
                remedy=_in_text.BINARY,
                alternatives=(_in_text.SOFTMAX,),
            )

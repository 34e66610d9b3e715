from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Script
from pipedoctor_checks.keras._models import compiled

_CATEGORICAL = frozenset({"categorical_crossentropy", "sparse_categorical_crossentropy"})


@check("KER015", Severity.ERROR, stage=Stage.LOSS, explains=("LOS002",))
def categorical_loss_on_one_unit(script: Script) -> Iterator[Finding]:
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

        script = '''
        import keras

        model = keras.Sequential([keras.layers.Dense(1, activation="sigmoid")])
        model.compile(optimizer="adam", loss="binary_crossentropy")
        '''

    See also: <https://keras.io/api/losses/probabilistic_losses/>.
    """
    for one in compiled(script):
        if one.last is None or one.loss is None or one.last.units != 1:
            continue
        if one.loss.name in _CATEGORICAL:
            yield Finding(
                message=f"{one.loss.name} compares classes, and the last layer (line "
                f"{one.last.call.line}) has 1 unit: there is nothing to compare",
                where=one.loss.value.where,
                evidence={"units": 1, "loss": one.loss.name, "activation": one.last.activation},
                remedy='loss="binary_crossentropy" and activation="sigmoid", for two classes',
                alternatives=('a unit for each class, with activation="softmax"',),
            )

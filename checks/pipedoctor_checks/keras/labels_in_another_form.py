from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Call, Script
from pipedoctor_checks.keras._models import keras, of


@check(
    "KER007",
    Severity.ERROR,
    stage=Stage.LOSS,
    symptoms={
        r"Shapes \(.*\) and \(.*\) are incompatible": (
            "one-hot labels take categorical_crossentropy, and class numbers the sparse one; the "
            "last layer needs a unit for each class"
        )
    },
)
def labels_in_another_form(script: Script) -> Iterator[Finding]:
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

        script = '''
        import keras

        y = keras.utils.to_categorical(labels, 10)
        model = keras.Sequential([keras.layers.Dense(10, activation="softmax")])
        model.compile(optimizer="adam", loss="categorical_crossentropy")
        model.fit(x, y)
        '''

    See also: <https://github.com/tensorflow/tensorflow/issues/52060>.
    """
    for fit in script.trainings:
        model, labels = of(script, fit), _one_hot(script, fit)
        if model is None or labels is None or model.loss is None or fit.open:
            continue
        loss, last = model.loss, model.last
        if loss.name == "sparse_categorical_crossentropy":
            yield Finding(
                message=f"The labels are one-hot, from {labels.text} in line {labels.line}, and "
                f"{loss.name} takes class numbers",
                where=loss.value.where,
                evidence={"loss": loss.name, "labels": labels.text, "line": labels.line},
                remedy=f"{loss.value.text.replace('sparse_', '').replace('Sparse', '')} as the loss",
                alternatives=(f"drop {labels.text} in line {labels.line}",),
            )
        number = labels.argument("num_classes", 1)
        classes = number.get() if number is not None else None
        units = last.units if last is not None else None
        known = isinstance(classes, int) and units is not None
        if known and classes != units and loss.name == "categorical_crossentropy" and last:
            yield Finding(
                message=f"The labels have {classes} classes ({labels.text}, line {labels.line}), "
                f"and the last layer has {units} units",
                where=last.call.where,
                evidence={"classes": classes, "units": units},
                remedy=f"Dense({classes}, …) in line {last.call.line}",
            )


def _one_hot(script: Script, fit: Call) -> Call | None:
    """Return the call that makes the labels one-hot, if nothing else does anything to them."""
    made = script.makers(fit.argument("y", 1))
    return made[0] if len(made) == 1 and keras(made[0], "to_categorical") else None

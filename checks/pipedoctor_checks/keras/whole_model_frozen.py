from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Script
from pipedoctor_checks.keras._models import is_model


@check(
    "KER005",
    Severity.ERROR,
    stage=Stage.MODEL,
    explains=("GRD003", "GRD006"),
    symptoms={
        r"No gradients provided for any variable": (
            "let the data yield (inputs, labels), and leave some layers trainable"
        ),
        r"The model does not have any trainable weights": "set trainable = True before compile()",
    },
)
def whole_model_frozen(script: Script) -> Iterator[Finding]:
    """
    The model that is fitted was set to `trainable = False` as a whole, so that nothing is learned.

    `trainable` of a model counts for all layers in it. To keep what a pretrained part knows, that
    part alone is frozen, and layers of its own are put on top of it. `fit` runs on such a model
    without an error, or stops because there are no gradients, which depends on the version.

    Fails:

        script = '''
        import keras

        model = keras.Sequential([keras.layers.Dense(8), keras.layers.Dense(2)])
        model.trainable = False
        model.compile(optimizer="sgd", loss="mse")
        model.fit(x, y)
        '''

    Passes:

        script = '''
        import keras

        base = keras.Sequential([keras.layers.Dense(8)])
        base.trainable = False
        model = keras.Sequential([base, keras.layers.Dense(2)])
        model.compile(optimizer="sgd", loss="mse")
        model.fit(x, y)
        '''

    See also: <https://keras.io/guides/transfer_learning/>.
    """
    set_so = [one for one in script.assignments if one.target.endswith(".trainable")]
    if len(set_so) != 1 or set_so[0].value.get() is not False:
        return  # what is set again, or layer by layer, may leave something to train
    frozen = set_so[0]
    line = frozen.value.where.line or 0
    for fit in script.trainings:
        models = script.receivers(fit)
        # Built, frozen, compiled and fitted in this order, and none of it by way of a function.
        if len(models) != 1 or not is_model(models[0]) or frozen.holders != (models[0].number,):
            continue
        compiled = [
            call
            for call in script.calls
            if call.text.endswith(".compile") and call.receivers == fit.receivers
        ]
        same = {call.place.scope for call in (*compiled, fit)} == {frozen.place.scope}
        branches = frozen.place.branches or frozen.place.loops
        if len(compiled) == 1 and same and not branches and line < compiled[0].line < fit.line:
            yield Finding(
                message=f"Line {line} freezes the whole model of line {models[0].line}, and line "
                f"{fit.line} fits it: 0 of its layers are trained",
                where=frozen.value.where,
                evidence={"frozen": line, "fit": fit.line},
                remedy=f"delete line {line}, or freeze only the part that is to stay as it is",
                severity=None if fit.place.runs == "always" else Severity.WARNING,
            )

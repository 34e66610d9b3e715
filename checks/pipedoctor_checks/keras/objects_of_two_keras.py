from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Call, Environment, Script

_SECOND, _THIRD = "Keras 2", "Keras 3"
_ONE = "take the model, its layers, loss, optimizer, metrics and callbacks of one Keras: "


@check(
    "KER031",
    Severity.ERROR,
    stage=Stage.ENVIRONMENT,
    explains=("RUN001",),
    symptoms={
        r"Could not interpret optimizer identifier: <keras\.src": (
            "tf_keras.optimizers: the model is of Keras 2, and this optimizer of Keras 3"
        ),
        r"Could not interpret optimizer identifier: <tf_keras\.src": (
            "keras.optimizers: the model is of Keras 3, and this optimizer of Keras 2"
        ),
        r"must be an instance of class Layer\..*<class 'keras\.src": (
            f"{_ONE}this layer is of Keras 3, the model of Keras 2"
        ),
        r"'Variable' object has no attribute '_distribute_strategy'": (
            f"{_ONE}a metric is of Keras 3, the model of Keras 2"
        ),
    },
)
def objects_of_two_keras(script: Script, environment: Environment) -> Iterator[Finding]:
    """
    A model of one Keras is compiled with an optimizer of the other.

    Keras 2 (tf_keras) and Keras 3 (keras) can be imported side by side, and neither takes objects
    of the other. The TensorFlow models of transformers are of Keras 2. After they are imported
    `tf.keras` is Keras 2 as well, while `from tensorflow.keras.optimizers import Adam` still gives
    the class of Keras 3: "Could not interpret optimizer identifier". TF_USE_LEGACY_KERAS=1 changes
    that, where it is set before anything is imported.

    Fails:

        environment = {
            "transformers": "4.57.6", "tensorflow": "2.19.0", "keras": "3.10.0",
            "tf_keras": "2.19.0", "variables": {},
        }
        script = '''
        from tensorflow.keras.optimizers import Adam
        from transformers import TFAutoModelForSequenceClassification

        model = TFAutoModelForSequenceClassification.from_pretrained("bert-base-cased")
        model.compile(optimizer=Adam(5e-5))
        '''

    Passes:

        environment = {
            "transformers": "4.57.6", "tensorflow": "2.19.0", "keras": "3.10.0",
            "tf_keras": "2.19.0", "variables": {"TF_USE_LEGACY_KERAS": "1"},
        }
        script = '''
        from tensorflow.keras.optimizers import Adam
        from transformers import TFAutoModelForSequenceClassification

        model = TFAutoModelForSequenceClassification.from_pretrained("bert-base-cased")
        model.compile(optimizer=Adam(5e-5))
        '''

    See also: <https://github.com/huggingface/transformers/issues/27377>.
    """
    versions = environment.versions
    if not versions.get("keras", "").startswith("3.") or "tf_keras" not in versions:
        return
    stated = any("TF_USE_LEGACY_KERAS" in line for line in script.lines)
    legacy = stated or bool(environment.variables.get("TF_USE_LEGACY_KERAS"))
    for call in script.calls:
        given = call.argument("optimizer", 0)
        models, made = script.receivers(call), script.makers(given)
        if not call.text.endswith(".compile") or given is None:
            continue
        if len(models) != 1 or len(made) != 1:
            continue
        one, other = _keras(models[0], legacy), _keras(made[0], legacy)
        if not one or not other or one == other:
            continue
        kind, package = made[0].name.rpartition(".")[2], "tf_keras" if one == _SECOND else "keras"
        yield Finding(
            message=f"{kind} of line {made[0].line} is an optimizer of {other} and the model of "
            f"line {models[0].line} one of {one}, which refuses it",
            where=given.where,
            evidence={"model": models[0].name, "optimizer": made[0].name},
            remedy=f"optimizer={package}.optimizers.{kind}(…), after import {package}",
            alternatives=("TF_USE_LEGACY_KERAS=1, set before Python starts",)
            if made[0].name.startswith("tensorflow.")
            else (),
        )


def _keras(call: Call, legacy: bool) -> str:
    """Return which Keras an object is of, "" where that depends on more than the text."""
    if call.name.startswith(("tf_keras.", "transformers.TF")):
        return _SECOND
    if call.name.startswith("keras."):
        return _THIRD
    # As an attribute of tensorflow, it is what was asked for when it was first used.
    imported = "." not in call.text and call.name.startswith("tensorflow.keras.optimizers.")
    return _THIRD if imported and not legacy else ""

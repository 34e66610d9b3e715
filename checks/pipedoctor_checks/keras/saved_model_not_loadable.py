from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Call, Reload, Script
from pipedoctor.facts.labels import listed

_REGISTER = "@keras.saving.register_keras_serializable()"
_GET_CONFIG = (
    "def get_config(self): return {**super().get_config(), …} with each argument of __init__"
)
_WEIGHTS = 'ModelCheckpoint("….weights.h5", save_weights_only=True)'


@check(
    "KER010",
    Severity.WARNING,
    stage=Stage.CHECKPOINT,
    symptoms={
        r"Could not locate (class|function) '\w+'": (
            f"put {_REGISTER} above it, and import its module before load_model; or hand it to "
            "load_model(…, custom_objects={…})"
        ),
        r"Unknown (layer|loss function|metric function|optimizer): '?\w+": (
            f"put {_REGISTER} above it, and import its module before load_model; or hand it to "
            "load_model(…, custom_objects={…})"
        ),
        r"created by passing non-serializable argument values": _GET_CONFIG,
    },
)
def saved_model_not_loadable(reload: Reload, script: Script | None) -> Iterator[Finding]:
    """
    The run saves the whole model, which Keras then can't write, or can't load again.

    A saved model is its weights and a description of its layers. A class of your own is made again
    from what its `get_config` returns; where `__init__` takes what Keras can't write down, saving
    raises after the first epoch; where the two do not fit, the file can't be loaded by any call.
    Keras finds classes and functions of your own only if they are registered or handed over: that
    is a note, as the file is whole, and an error where this script loads without them. It is
    found out by saving the model into a temporary folder and loading it from there.

    Fails:

        import keras
        import numpy as np

        class Apply(keras.layers.Layer):
            def __init__(self, function, **words):
                super().__init__(**words)
                self.function = function

            def call(self, inputs):
                return self.function(inputs)

        model = keras.Sequential(
            [keras.Input((4,)), Apply(lambda inputs: 2 * inputs), keras.layers.Dense(1)]
        )
        model.compile(optimizer="adam", loss="mse")
        x = np.random.default_rng(0).normal(size=(60, 4))
        y = x[:, :1]
        callbacks = [keras.callbacks.ModelCheckpoint("best.keras")]

    Passes:

        import keras
        import numpy as np

        @keras.saving.register_keras_serializable()
        class Scale(keras.layers.Layer):
            def __init__(self, by, **words):
                super().__init__(**words)
                self.by = by

            def call(self, inputs):
                return self.by * inputs

        model = keras.Sequential([keras.Input((4,)), Scale(2.0), keras.layers.Dense(1)])
        model.compile(optimizer="adam", loss="mse")
        x = np.random.default_rng(0).normal(size=(60, 4))
        y = x[:, :1]
        callbacks = [keras.callbacks.ModelCheckpoint("best.keras")]

    See also: <https://keras.io/guides/serialization_and_saving/>.
    """
    loader = _loader(script)
    evidence = {"file": reload.file, "own": list(reload.own)}
    if reload.writing:
        who = f"{reload.saver} saves" if reload.saver else "The script saves"
        yield Finding(
            message=f"{who} the whole model to {reload.file}, and Keras can't write it: "
            f"{_short(reload.writing)}",
            where=reload.where,
            evidence={**evidence, "error": reload.writing},
            remedy=_GET_CONFIG,
            alternatives=(_WEIGHTS,),
            severity=Severity.ERROR,
        )
        return
    if reload.loading and reload.told == "":
        yield Finding(
            message=f"load_model can't load {reload.file} as it is: {_short(reload.loading)}",
            where=loader.where if loader is not None else reload.where,
            evidence={**evidence, "unknown": list(reload.unknown), "error": reload.loading},
            remedy=_handed(reload),
            alternatives=(_registered(reload),) if reload.unknown else (),
            severity=Severity.ERROR if loader is not None else Severity.NOTE,
        )
    elif reload.loading and reload.told:
        yield Finding(
            message=f"{reload.file} is written, and no load_model can load it: "
            f"{_short(reload.told)}",
            where=loader.where if loader is not None else reload.where,
            evidence={**evidence, "error": reload.told},
            remedy=_GET_CONFIG,
            alternatives=(_WEIGHTS,),
            severity=Severity.ERROR if loader is not None else None,
        )
    elif reload.differing:
        yield Finding(
            message=f"{reload.file} is written and loaded, but {reload.differing} of "
            f"{reload.weights} weights are not those that were saved",
            where=reload.where,
            evidence={**evidence, "differing": reload.differing, "weights": reload.weights},
            remedy="make all layers and weights in __init__ or build, not in call",
            alternatives=(_WEIGHTS,),
        )


def _loader(script: Script | None) -> Call | None:
    """Return the call by which the script itself loads a model and hands over nothing."""
    if script is None or any("custom_object" in line for line in script.lines):
        return None
    for call in script.calls:
        name = call.text.rpartition(".")[2]
        if name == "load_model" and call.place.runs == "always" and not call.open:
            return call
    return None


def _handed(reload: Reload) -> str:
    words = []
    if reload.unknown:
        pairs = ", ".join(f'"{name}": {name}' for name in reload.unknown)
        words.append(f"custom_objects={{{pairs}}}")
    if reload.lambdas:
        words.append("safe_mode=False")
    return f'load_model("{reload.file}", {", ".join(words) or "custom_objects={…}"})'


def _registered(reload: Reload) -> str:
    return f"{_REGISTER} above {listed(reload.unknown)}, in a module that is imported before"


def _short(error: str, longest: int = 160) -> str:
    """Return the beginning of what Keras says: its first sentence, most often."""
    first = error.partition(". ")[0]
    return first if len(first) <= longest else f"{first[:longest].rsplit(' ', 1)[0]} …"

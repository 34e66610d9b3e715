from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Compiled, Fit, FitCallback, Gradients
from pipedoctor_checks.keras._monitors import (
    ALWAYS,
    CALLBACKS,
    CONSEQUENCE,
    UNKNOWN_NAME,
    in_text,
    similar,
)


@check(
    "KER012",
    Severity.WARNING,
    stage=Stage.EVALUATION,
    symptoms={
        r"(Early stopping|Learning rate reduction) is? ?conditioned on metric": (
            "name one of the available metrics, and give fit() validation data for a val_ name"
        ),
        r"Can save best model only with \S+ available": (
            "name one of the available metrics, and give fit() validation data for a val_ name"
        ),
    },
    in_text=in_text,
)
def monitored_name_not_produced(
    fit: Fit, compiled: Compiled, gradients: Gradients | None = None
) -> Iterator[Finding]:
    """
    A callback waits for a metric that the training does not produce.

    `EarlyStopping` and `ReduceLROnPlateau` then never act, and `ModelCheckpoint` can't tell which
    model is the best one. Names that begin with `val_`, as their default `val_loss` does, need
    validation data; a metric has the name it was given in `compile`, so that `"accuracy"` is
    `val_accuracy` and not `val_acc`. For a name that is none of its metrics Keras 3 moreover stops
    after the first epoch, unless `mode` says what is better. What a `train_step` of your own logs is
    told by running it once.

    Fails:

        script = '''
        import keras

        model = keras.Sequential([keras.layers.Dense(10, activation="softmax")])
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        stop = keras.callbacks.EarlyStopping(monitor="val_acc", patience=3)
        model.fit(x, y, validation_split=0.1, callbacks=[stop])
        '''

    Passes:

        import keras
        import numpy as np

        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        x = np.random.default_rng(0).normal(size=(60, 4))
        y = np.arange(60) % 3
        validation_split = 0.2
        callbacks = [keras.callbacks.EarlyStopping(monitor="val_accuracy", patience=3)]

    See also: <https://github.com/tensorflow/tensorflow/issues/33163>.
    """
    logged = gradients.logged if gradients is not None and gradients.known("logged") else None
    seen = compiled.own_train_step and logged is not None
    produced = set(logged or ()) if seen else {"loss", *compiled.metrics}
    always = () if seen else ALWAYS
    validated = fit.validation is not None
    told = sorted(produced)
    if validated and not seen:
        told += sorted(f"val_{name}" for name in produced)
    own = any(callback.own for callback in fit.callbacks)  # may put names of its own in the logs
    for callback in fit.callbacks:
        watched = _watched(callback)
        if watched is None:
            continue
        base = watched.removeprefix("val_")
        held_out = watched.startswith("val_")
        known = base in {*always, *produced} or (seen and held_out)  # its test_step is not run
        if held_out and not validated:
            why = "fit() gets no validation data"
            remedy = "fit(…, validation_split=0.1), or validation_data=…"
        elif not known and not own and (seen or not compiled.own_train_step):
            why = f"the training produces {', '.join(told)}"
            remedy = f'monitor="{watched[: -len(base)]}{similar(base, produced)}"'
        else:
            continue
        stops = not known and compiled.library == "keras" and _automatic(callback)
        yield Finding(
            message=f"{callback.kind} watches {watched}, and {why}: "
            + (UNKNOWN_NAME if stops else CONSEQUENCE[callback.kind]),
            where=callback.where,
            evidence={"monitor": watched, "produced": told, "validated": validated},
            remedy=remedy,
            severity=Severity.ERROR if stops else None,
        )


def _watched(callback: FitCallback) -> str | None:
    """Return the name that a callback looks at, if it looks at one."""
    if callback.own or callback.kind not in CALLBACKS:
        return None
    if callback.kind == "ModelCheckpoint" and not callback.parameters.get("save_best_only"):
        return None
    name = callback.parameters.get("monitor")
    return name if isinstance(name, str) else None


def _automatic(callback: FitCallback) -> bool:
    return callback.parameters.get("mode", "auto") == "auto"

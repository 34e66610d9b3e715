import re
from collections.abc import Iterator
from typing import NamedTuple

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Call, Environment, Script, Value
from pipedoctor_checks.keras._models import Compiled, keras, of

_CALLBACKS = {"EarlyStopping": 0, "ReduceLROnPlateau": 0, "ModelCheckpoint": 1}
"""Callbacks that look at one name of the logs, and the position of that name."""
_ALWAYS = frozenset({"loss", "lr", "learning_rate"})
_CONSEQUENCE = {
    "EarlyStopping": "it never stops the training",
    "ReduceLROnPlateau": "it never lowers the rate",
    "ModelCheckpoint": "it can't tell the best model",
}


class _Watch(NamedTuple):
    """A callback of a training, what it looks at, and what the training yields."""

    fit: Call
    callback: Call
    kind: str
    monitor: str
    model: Compiled


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
)
def monitored_name_not_produced(script: Script, environment: Environment) -> Iterator[Finding]:
    """
    A callback waits for a metric that the training does not produce.

    `EarlyStopping` and `ReduceLROnPlateau` then never act, and `ModelCheckpoint` can't tell which
    model is the best one. Names that begin with `val_`, as their default `val_loss` does, need
    validation data; a metric has the name it was given in `compile`, so that `"accuracy"` is
    `val_accuracy` and not `val_acc`. For a name that is none of its metrics Keras 3 moreover stops
    after the first epoch, unless `mode` says what is better.

    Fails:

        script = '''
        import keras

        model = keras.Sequential([keras.layers.Dense(10, activation="softmax")])
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        stop = keras.callbacks.EarlyStopping(monitor="val_acc", patience=3)
        model.fit(x, y, validation_split=0.1, callbacks=[stop])
        '''

    Passes:

        script = '''
        import keras

        model = keras.Sequential([keras.layers.Dense(10, activation="softmax")])
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        stop = keras.callbacks.EarlyStopping(monitor="val_accuracy", patience=3)
        model.fit(x, y, validation_split=0.1, callbacks=[stop])
        '''

    See also: <https://github.com/tensorflow/tensorflow/issues/33163>.
    """
    version = environment.versions.get("keras", "")
    for one in _watches(script):
        base = one.monitor.removeprefix("val_")
        names = _metrics(script, one.model)
        validated = _validated(one.fit)
        produced = None if names is None else sorted({"loss", *names})
        if produced is not None and validated:
            produced += [f"val_{name}" for name in produced]
        if one.monitor.startswith("val_") and not validated:
            why = f"fit() in line {one.fit.line} gets no validation data"
            remedy = f"fit(…, validation_split=0.1) in line {one.fit.line}, or validation_data=…"
        elif produced is not None and base not in {*_ALWAYS, *produced}:
            why = f"the training produces {', '.join(produced)}"
            best = _similar(base, names or set())
            remedy = f'monitor="{one.monitor[: -len(base)]}{best}"'
        else:
            continue
        automatic = one.callback.argument("mode") is None and base not in {
            *_ALWAYS,
            *(names or ()),
        }
        stops = automatic and names is not None and version.startswith("3.")
        yield Finding(
            message=f"{one.kind} watches {one.monitor}, and {why}: "
            + (
                "Keras 3 stops with ValueError after the first epoch"
                if stops
                else _CONSEQUENCE[one.kind]
            ),
            where=one.callback.where,
            evidence={"monitor": one.monitor, "produced": produced, "validated": validated},
            remedy=remedy,
            severity=Severity.ERROR if stops else None,
        )


def _watches(script: Script) -> Iterator[_Watch]:
    for fit in script.trainings:
        model, given = of(script, fit), fit.argument("callbacks", 5)
        if model is None or given is None or fit.open:
            continue
        for element in given.elements:
            made = script.makers(element)
            if len(made) != 1:
                continue
            kind = next((kind for kind in _CALLBACKS if keras(made[0], kind)), None)
            monitor = _monitor(made[0], kind) if kind else None
            if kind and monitor:
                yield _Watch(fit, made[0], kind, monitor, model)


def _monitor(call: Call, kind: str) -> str | None:
    """Return what a callback watches; None if that can't be told, or does not matter."""
    if call.open or call.name.startswith("__main__."):
        return None
    best = call.argument("save_best_only", 3)
    if kind == "ModelCheckpoint" and (best is None or not best.get()):
        return None
    given = call.argument("monitor", _CALLBACKS[kind])
    held = "val_loss" if given is None else given.get()
    return held if isinstance(held, str) else None


def _validated(fit: Call) -> bool:
    data, share = fit.argument("validation_data", 7), fit.argument("validation_split", 6)
    given = data is not None and not (data.known and data.get() is None)
    return given or (share is not None and not (share.known and not share.get()))


def _metrics(script: Script, model: Compiled) -> set[str] | None:
    """Return the names of the metrics of a model with one output, None if they can't be told."""
    given = model.compile.argument("metrics")
    weighted = model.compile.argument("weighted_metrics")
    if model.compile.open or weighted is not None or model.last is None:
        return None
    if given is None:
        return set()
    if given.known:
        held = given.get()
        texts = isinstance(held, list) and all(isinstance(name, str) for name in held)
        return set(held) if texts else None
    names = [_name(script, element) for element in given.elements]
    return {name for name in names if name} if names and all(names) else None


def _name(script: Script, element: Value) -> str | None:
    held, made = element.get(), script.makers(element)
    if isinstance(held, str):
        return held
    if len(made) != 1 or not any(".metrics." in name for name in made[0].names) or made[0].open:
        return None
    given = made[0].argument("name")
    if given is not None:
        return given.get() if isinstance(given.get(), str) else None
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", made[0].name.rpartition(".")[2])
    return words.lower()


def _similar(base: str, names: set[str]) -> str:
    """Return the metric that was probably meant, else the loss."""
    return next((name for name in sorted(names) if name.startswith(base) or base in name), "loss")

import os
from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, Unavailable, check
from pipedoctor.facts import Call, Environment, Script, Value
from pipedoctor_checks.keras._models import is_model, keras

_WEIGHTS = (".weights.h5",)
_WHOLE = (".keras", ".h5")


@check(
    "KER009",
    Severity.ERROR,
    stage=Stage.CHECKPOINT,
    symptoms={
        r"filepath provided must end in `\.keras`": "end the path in .keras",
        r"must end in `\.weights\.h5`": "end the path in .weights.h5",
    },
)
def checkpoint_file_suffix(script: Script, environment: Environment) -> Iterator[Finding]:
    """
    A file of Keras 3 has a suffix that it refuses to write.

    Up to version 2 any path would do, such as "cp.ckpt". Keras 3 tells the format by the suffix:
    weights alone go to a file that ends in `.weights.h5`, a whole model to `.keras` (or `.h5`).
    `ModelCheckpoint` refuses other paths when it is made; `save` and `save_weights` do when they
    are called, which is often after the training.

    Fails:

        environment = {"keras": "3.15.1"}
        script = '''
        import keras

        keep = keras.callbacks.ModelCheckpoint("out/cp.ckpt", save_weights_only=True)
        model.fit(x, y, callbacks=[keep])
        '''

    Passes:

        environment = {"keras": "3.15.1"}
        script = '''
        import keras

        keep = keras.callbacks.ModelCheckpoint("out/cp.weights.h5", save_weights_only=True)
        model.fit(x, y, callbacks=[keep])
        '''

    See also: <https://github.com/keras-team/keras-io/issues/1844>.
    """
    files = list(_files(script))
    if not files or any("TF_USE_LEGACY_KERAS" in line for line in script.lines):
        return
    version = environment.versions.get("keras")
    if version is None:
        raise Unavailable("keras is not installed")
    if int(version.partition(".")[0]) < 3:
        return
    for call, path, suffixes in files:
        name = _last_part(script, path)
        if name is None or name.endswith(suffixes) or call.place.runs == "never":
            continue
        stem = name.rpartition(".")[0] or name
        what = f"{stem}{suffixes[0]}"
        yield Finding(
            message=f"Keras {version} refuses the file {name}: "
            + ("weights alone go to a file" if suffixes == _WEIGHTS else "a model goes to a file")
            + f" that ends in {' or '.join(suffixes)}",
            where=call.where,
            evidence={"file": name, "suffixes": list(suffixes), "keras": version},
            remedy=f"name it {what}",
            severity=None if call.place.runs == "always" else Severity.WARNING,
        )


def _files(script: Script) -> Iterator[tuple[Call, Value, tuple[str, ...]]]:
    """Yield the calls that name a file, the file, and the suffixes that it may have."""
    for call in script.calls:
        path = call.argument("filepath", 0)
        if path is None or call.open or any(n.startswith("tf_keras") for n in call.names):
            continue
        if keras(call, "ModelCheckpoint"):
            weights = call.argument("save_weights_only", 4)
            if weights is None or weights.known:
                only = weights is not None and bool(weights.get())
                yield call, path, _WEIGHTS if only else _WHOLE
        models = script.receivers(call)
        if len(models) == 1 and is_model(models[0]) and len(call.arguments) == 1:
            if call.text.endswith(".save_weights"):
                yield call, path, _WEIGHTS
            elif call.text.endswith(".save"):
                yield call, path, (*_WHOLE, ".hdf5")


def _last_part(script: Script, path: Value) -> str | None:
    """Return the name of a file: that of a path that is known, or joined from parts."""
    held, made = path.get(), script.makers(path)
    if isinstance(held, str):
        return os.path.basename(held) or None
    if len(made) == 1 and made[0].is_a("os.path.join") and not made[0].open:
        last = made[0].arguments[len(made[0].arguments) - 1].get()
        return os.path.basename(last) or None if isinstance(last, str) else None
    return None

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, Train, check
from pipedoctor.facts import Compiled, Inputs, Outputs
from pipedoctor_checks.keras._outputs import compared

_NAMES = ("labels", "label", "targets", "target", "y")
"""What the column of the labels is usually called."""


@check("KER030", Severity.ERROR, stage=Stage.BATCH, explains=("RUN001", "KER005"))
def labels_among_the_inputs(
    inputs: Train[Inputs], outputs: Outputs, compiled: Compiled
) -> Iterator[Finding]:
    """
    `fit` is given no labels for a loss that needs them; they may lie among the inputs.

    The data of transformers has its labels among the inputs, for models that compute their loss
    themselves. A loss of `compile` gets what is given as `y`, or what stands second in the tuples
    of a dataset: nothing, then, and `fit` raises an error that speaks of None. A model of
    transformers finds them where they are, and nothing is said of it.

    Fails:

        import keras
        import numpy as np

        ids = keras.Input((8,), dtype="int32", name="input_ids")
        hidden = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(50, 4)(ids))
        model = keras.Model(ids, keras.layers.Dense(3, activation="softmax")(hidden))
        model.compile("adam", loss="sparse_categorical_crossentropy")
        x = {"input_ids": np.arange(64).reshape(8, 8) % 50, "labels": np.arange(8) % 3}

    Passes:

        import keras
        import numpy as np

        ids = keras.Input((8,), dtype="int32", name="input_ids")
        hidden = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(50, 4)(ids))
        model = keras.Model(ids, keras.layers.Dense(3, activation="softmax")(hidden))
        model.compile("adam", loss="sparse_categorical_crossentropy")
        x = {"input_ids": np.arange(64).reshape(8, 8) % 50}
        y = np.arange(8) % 3

    See also: <https://huggingface.co/learn/llm-course/chapter8/4?fw=tf>.
    """
    if outputs.labels or compiled.own_train_step or compiled.own_compute_loss:
        return
    losses = [loss for _, loss in compared(outputs)]
    if not losses:
        return
    told = f"{losses[0]} compares the outputs with labels, and fit is given none"
    name = next((one.name for one in inputs.inputs if one.name in _NAMES), None)
    others = [one.name for one in inputs.inputs if one.name != name]
    yield Finding(
        message=told
        if name is None
        else f'{told}: "{name}" is one of the {len(others) + 1} inputs',
        where=inputs.where,
        evidence={"loss": losses[0], "inputs": [one.name for one in inputs.inputs]},
        remedy=_beside(name) if name is not None else "fit(x, y), or a dataset of tuples (x, y)",
        alternatives=()
        if name is None
        else (f'a dataset: .map(lambda row: (row, row.pop("{name}")))',),
    )


def _beside(name: str) -> str:
    return f'y = x.pop("{name}"), and fit(x, y)'

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Fit


@check("KER018", Severity.ERROR, stage=Stage.DATA)
def data_without_end(fit: Fit) -> Iterator[Finding]:
    """
    The data repeats without end, and nothing says how many steps make an epoch.

    `dataset.repeat()` starts again from its end for ever. Without `steps_per_epoch` the first
    epoch never comes to its end: no validation, no checkpoint, no second epoch. The same holds for
    validation data without `validation_steps`, which the first epoch then hangs in.

    Fails:

        import keras
        import numpy as np

        class Endless(keras.utils.PyDataset):
            @property
            def num_batches(self):
                return None

            def __getitem__(self, place):
                rows = np.random.default_rng(place).normal(size=(8, 4))
                return rows, rows.sum(axis=1, keepdims=True)

        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        model.compile(optimizer="adam", loss="mse")
        x = Endless()

    Passes:

        import keras
        import numpy as np

        class Endless(keras.utils.PyDataset):
            @property
            def num_batches(self):
                return None

            def __getitem__(self, place):
                rows = np.random.default_rng(place).normal(size=(8, 4))
                return rows, rows.sum(axis=1, keepdims=True)

        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        model.compile(optimizer="adam", loss="mse")
        x = Endless()
        steps_per_epoch = 100

    See also: <https://keras.io/api/models/model_training_apis/#fit-method>.
    """
    if fit.batches is None and fit.steps_per_epoch is None:
        yield Finding(
            message="The training data has no end, and steps_per_epoch is not given: of "
            f"{fit.epochs} epochs the first never ends",
            where=fit.at("x"),
            evidence={"data": fit.data, "epochs": fit.epochs},
            remedy="steps_per_epoch=rows // batch_size, or leave repeat() out",
        )
    endless = fit.known("validation_batches") and fit.validation_batches is None
    if fit.validation not in {None, "split"} and endless and fit.validation_steps is None:
        yield Finding(
            message="The validation data has no end, and validation_steps is not given: the "
            "validation after the first epoch never ends",
            where=fit.at("validation_data"),
            evidence={"validation": fit.validation},
            remedy="validation_steps=rows // batch_size, or leave repeat() out",
        )

from collections.abc import Iterator, Mapping

from pipedoctor import Eval, Finding, Severity, Stage, Train, check
from pipedoctor.facts import Fit, Labels
from pipedoctor.facts.labels import listed
from pipedoctor.units import count


@check("KER014", Severity.WARNING, stage=Stage.DATA, explains=("DAT012", "DAT031"))
def validation_split_of_sorted_rows(
    train: Train[Labels], held_out: Eval[Labels], fit: Fit, *, least: int = 20, common: int = 10
) -> Iterator[Finding]:
    """
    `validation_split` cuts off the last rows, and these are of other classes than the rest.

    The share is taken off the end before anything is shuffled. Where the rows are sorted by their
    label, the last ones have a class that is hardly among the others: the model is never taught
    what it is validated on. Judged are at least `least` rows of validation, and labels that at least
    `common` of them have: ten rows of one class do not come last by chance, while of a regression's
    targets most values are there once.

    Fails:

        import keras
        import numpy as np

        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
        model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
        x = np.random.default_rng(0).normal(size=(300, 4))
        y = np.repeat([0, 1, 2], 100)
        validation_split = 0.3

    Passes:

        import keras
        import numpy as np

        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
        model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
        x = np.random.default_rng(0).normal(size=(300, 4))
        y = np.arange(300) % 3
        validation_split = 0.3

    See also: <https://github.com/keras-team/keras/issues/8346>.
    """
    if fit.validation != "split" or train.kind == "text":
        return
    taught_on, held = _by_class(train), _by_class(held_out)
    rows = sum(held.values())
    if not taught_on or rows < least:
        return
    # How much of the validation is of classes that are rarer by ten times in the rows to train on.
    total = sum(taught_on.values())
    strange = {
        value: number
        for value, number in held.items()
        if number >= common and taught_on.get(value, 0) / total < 0.1 * number / rows
    }
    count_of = sum(strange.values())
    if 2 * count_of < rows or len({*taught_on, *held}) < 2:
        return
    taught = sum(taught_on.get(value, 0) for value in strange)
    yield Finding(
        message=f"validation_split={fit.validation_split:g} takes the last {count(rows)} rows, of "
        f"which {count(count_of)} have the label {listed(sorted(strange, key=str))}; of the "
        f"{count(total)} rows to train on, {count(taught)} have: the rows are sorted",
        where=fit.at("validation_split"),
        evidence={
            "train": {str(value): number for value, number in taught_on.items()},
            "validation": {str(value): number for value, number in held.items()},
        },
        remedy="shuffle first: order = np.random.default_rng(0).permutation(len(x)); "
        "x, y = x[order], y[order]",
        alternatives=("validation_data=(x_val, y_val), split by sklearn's train_test_split",),
    )


def _by_class(labels: Labels) -> Mapping[int | float | str | bool, int]:
    """Return the rows of each class, of integers or one-hot; nothing where these are no classes."""
    if labels.hot_counts:
        return {value: number for value, number in enumerate(labels.hot_counts) if number}
    if labels.width is not None or not labels.known("counts"):
        return {}
    if labels.kind == "float" and any(value % 1 for value in map(float, labels.counts)):
        return {}
    return labels.counts

from collections.abc import Collection, Iterator, Mapping

from pipedoctor import Finding, Severity, Stage, Train, check
from pipedoctor.facts import Fit, Labels
from pipedoctor.facts.fit import ARRAYS
from pipedoctor.facts.labels import listed


@check("KER033", Severity.WARNING, stage=Stage.DATA)
def class_weight_without_effect(fit: Fit, labels: Train[Labels] | None) -> Iterator[Finding]:
    """
    A weight in `class_weight` is for a class that no label names, so the rows count as without it.

    `fit` looks up the number of each row's class in `class_weight`, and takes 1 where it finds
    none. With arrays nothing is said of keys that are never asked for: the names of classes, or
    numbers that count from 1 where the labels count from 0. With a `tf.data.Dataset` names are
    refused.

    Fails:

        import keras
        import numpy as np

        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation="softmax")])
        model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
        x = np.random.default_rng(0).normal(size=(60, 4))
        y = np.arange(60) % 2
        class_weight = {"no": 1.0, "yes": 5.0}

    Passes:

        import keras
        import numpy as np

        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation="softmax")])
        model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
        x = np.random.default_rng(0).normal(size=(60, 4))
        y = np.arange(60) % 2
        class_weight = {0: 1.0, 1: 5.0}

    See also: <https://keras.io/api/models/model_training_apis/#fit-method>.
    """
    held = _classes(labels)
    if fit.weighted_names:
        names = list(fit.weighted_names)
        numbered = dict(enumerate(fit.weighted_names.values()))
        yield Finding(
            message=f"class_weight has the keys {', '.join(map(repr, names[:5]))}"
            f"{' …' if len(names) > 5 else ''}, and fit looks for the numbers of the classes"
            f"{f' ({listed(sorted(held))})' if held else ''}: "
            + ("each row counts 1" if fit.data == ARRAYS else "it fails on data of this kind"),
            where=fit.at("class_weight"),
            evidence={"keys": names, "classes": sorted(held)},
            remedy=f"class_weight={numbered}, if the labels number the names in this order",
            severity=None if fit.data == ARRAYS else Severity.ERROR,
        )
        return
    weights = fit.class_weight or {}
    unused = [key for key in weights if key not in held]
    without = [value for value in sorted(held) if value not in weights]
    if not held or not weights or not unused or not without:
        return
    yield Finding(
        message=f"class_weight has {listed(sorted(weights))}, and the labels are "
        f"{listed(sorted(held))}: the weight of {listed(unused)} is never used, and rows of class "
        f"{listed(without)} count 1",
        where=fit.at("class_weight"),
        evidence={"weights": dict(weights), "classes": sorted(held)},
        remedy=_numbered(weights, held),
    )


def _numbered(weights: Mapping[int, float], held: Collection[int]) -> str:
    """Return the weights by the numbers of the classes, where they begin at another one."""
    shift = min(weights) - min(held)
    if {key - shift for key in weights} == set(held):
        return f"class_weight={ {key - shift: value for key, value in sorted(weights.items())} }"
    return f"give a weight to each class that the labels hold: {listed(sorted(held))}"


def _classes(labels: Labels | None) -> Collection[int]:
    """Return the numbers of the classes, where all labels were read."""
    if labels is None or labels.partial:
        return ()
    if labels.hot_counts:
        return {value for value, number in enumerate(labels.hot_counts) if number}
    if labels.width is not None or labels.kind not in {"int", "bool"}:
        return ()
    if not labels.known("counts"):
        return ()
    return {int(value) for value in labels.counts if not isinstance(value, str)}

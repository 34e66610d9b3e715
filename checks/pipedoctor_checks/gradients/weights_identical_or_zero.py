from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Layer, Layers, Outputs

_KERNELS = frozenset(
    {"Dense", "Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose", "EinsumDense"}
)


@check(
    "GRD009", Severity.ERROR, stage=Stage.MODEL, explains=("GRD001", "GRD003", "GRD010", "LOS003")
)
def weights_identical_or_zero(layers: Layers, outputs: Outputs | None) -> Iterator[Finding]:
    """
    The units of hidden layers start from the same weights, so they stay copies of one unit.

    Units with equal weights give equal answers and get equal gradients: a layer of 64 learns as
    much as one of 1. From zeros not even that, since no gradient gets through to the layers below.
    Weights start from random numbers for this reason. Zeros in the last layer do no harm, and in a
    branch that is added to something else they are a method of its own; of those nothing is said.

    Fails:

        import keras

        model = keras.Sequential(
            [
                keras.Input((4,)),
                keras.layers.Dense(8, activation="relu", kernel_initializer="zeros"),
                keras.layers.Dense(8, activation="relu", kernel_initializer="zeros"),
                keras.layers.Dense(3, activation="softmax"),
            ]
        )

    Passes:

        import keras

        model = keras.Sequential(
            [
                keras.Input((4,)),
                keras.layers.Dense(8, activation="relu"),
                keras.layers.Dense(8, activation="relu"),
                keras.layers.Dense(3, activation="softmax", kernel_initializer="zeros"),
            ]
        )

    See also: <https://keras.io/api/layers/initializers/>.
    """
    hidden = _hidden(layers, outputs)
    alike = {one.name: one for one in hidden if _alike(one)}
    # One layer among many may be a branch; a plain stack of layers has none.
    if not alike or (layers.form != "Sequential" and 2 * len(alike) <= len(hidden)):
        return
    zero = [one for one in alike.values() if _zero(one)]
    first = next(iter(zero or alike.values()))
    kind = "zero" if zero else "the same for all units"
    yield Finding(
        message=f"The kernel of {first.path or first.name} ({first.kind}, {first.units} units) is "
        f"all {kind}"
        + (f", and so are {len(alike) - 1} more of {len(hidden)}" if len(alike) > 1 else "")
        + (
            ": the units stay identical, and no gradient passes"
            if zero
            else ": the units stay identical copies of one"
        ),
        where=first.where,
        evidence={
            "layers": list(alike),
            "zero": [one.name for one in zero],
            "hidden": len(hidden),
        },
        remedy='kernel_initializer="he_uniform" for relu, else leave it out ("glorot_uniform")',
    )


def _hidden(layers: Layers, outputs: Outputs | None) -> list[Layer]:
    """Return the layers with a kernel that is trained, but for the last ones."""
    with_kernel = [
        one for one in layers.layers if one.kind in _KERNELS and not one.own and one.trainable
    ]
    last = {one.layer for one in outputs.outputs} if outputs is not None else set()
    last |= {with_kernel[-1].name} if with_kernel else set()
    return [one for one in with_kernel if one.name not in last]


def _alike(one: Layer) -> bool:
    kernel = next((weight for weight in one.weights if weight.name == "kernel"), None)
    columns = kernel.shape[-1] if kernel is not None and kernel.shape else 0
    return kernel is not None and columns > 1 and kernel.alike == columns and not kernel.not_finite


def _zero(one: Layer) -> bool:
    return any(w.name == "kernel" and w.constant and w.minimum == 0 for w in one.weights)

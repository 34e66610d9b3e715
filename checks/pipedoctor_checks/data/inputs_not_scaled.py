from collections.abc import Iterator
from dataclasses import replace
from math import log

from pipedoctor import Finding, Severity, Stage, Train, check
from pipedoctor.facts import Compiled, Forward, Inputs, Layers, Outputs
from pipedoctor.input_scaling import NORMALIZE, RESCALE, WIDE, first_weights, pixels
from pipedoctor.units import count
from pipedoctor_checks.keras._outputs import CATEGORICAL, SPARSE

_LARGE = 20.0
"""
Numbers brought to size 1 stay below it: of a billion normal ones the largest lies at 6 standard
deviations, and three times that is left to heavier tails.
"""


@check("DAT017", Severity.WARNING, stage=Stage.BATCH, explains=("LOS002",))
def inputs_not_scaled(  # noqa: PLR0913 - the facts it rests on, and its two thresholds
    inputs: Train[Inputs],
    layers: Layers,
    outputs: Outputs | None,
    forward: Train[Forward] | None,
    compiled: Compiled | None = None,
    *,
    times: float = 3.0,
    spread: float = WIDE,
) -> Iterator[Finding]:
    """
    The inputs are far from size 1, and the first layer takes them as they are.

    Weights start at a size that fits inputs with a mean near 0 and a standard deviation near 1.
    Pixels from 0 to 255 make all that follows a hundred times larger: the loss starts far above
    that of guessing, and where one column is a million times another only that one counts.

    Told as a warning where the loss of the first batch proves it, by being `times` as high as
    guessing the classes has it (healthy starts lie below 1.5 times), or where inputs reach beyond
    `spread`, the largest standard deviation of a column: weights start near 0.1, so that such a
    column alone brings sums beyond 100, as pixels do. Else, for pixels, as a note.

    Small networks on 1,400 digits of 8 x 8 pixels, 10 epochs, three starts each: with pixels up to
    1 they had 0.79 to 0.98 of other rows right; with pixels up to 255 a dense one had 0.28 to 0.57
    with Adam at 1e-3 and about 0.1, which is guessing, with SGD at 1e-2; a convolution had 0.70 to
    0.83 and, but for one start of three, 0.1. All of these start at so high a loss that it is a
    warning. With pixels up to 16 all did as well as with 1. With one unit for yes and no, Adam had
    0.92 to 0.98 right at either scale, and SGD 0.81 to 0.85 or, with 255, about half: there the
    loss is proof for SGD only.

    Fails:

        import keras
        import numpy as np

        keras.utils.set_random_seed(0)
        model = keras.Sequential(
            [
                keras.Input((8, 8, 1)),
                keras.layers.Conv2D(8, 3, activation="relu"),
                keras.layers.Flatten(),
                keras.layers.Dense(10, activation="softmax"),
            ]
        )
        model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
        x = np.random.default_rng(0).integers(0, 256, size=(60, 8, 8, 1)).astype("float32")
        y = np.arange(60) % 10

    Passes:

        import keras
        import numpy as np

        keras.utils.set_random_seed(0)
        model = keras.Sequential(
            [
                keras.Input((8, 8, 1)),
                keras.layers.Conv2D(8, 3, activation="relu"),
                keras.layers.Flatten(),
                keras.layers.Dense(10, activation="softmax"),
            ]
        )
        model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
        x = np.random.default_rng(0).integers(0, 256, size=(60, 8, 8, 1)) / 255
        y = np.arange(60) % 10

    See also: <https://keras.io/api/layers/preprocessing_layers/image_preprocessing/rescaling/>.
    """
    for one in inputs.inputs:
        if one.minimum is None or one.maximum is None or one.std is None or one.mean is None:
            continue
        first = first_weights(one, inputs, layers)
        if not first:
            continue
        bytes_of_images = pixels(one)
        sgd = compiled is not None and compiled.known("optimizer") and compiled.optimizer == "SGD"
        high = _above_chance(outputs, forward, plain=sgd)
        largest = max(abs(one.minimum), abs(one.maximum))
        wide = one.scales is not None and one.scales[1] > spread
        if (
            not wide
            and not (largest > _LARGE and high is not None and high[0] > times)
            and not bytes_of_images
        ):
            continue
        proven = wide or (high is not None and high[0] > times)
        what = f"{'pixels ' if bytes_of_images else ''}from {one.minimum:.4g} to {one.maximum:.4g}"
        told = (
            f"; the loss starts at {high[1]:.3g}, guessing has {high[2]:.3g}"
            if high and high[0] > times
            else ""
        )
        differ = (
            f"; the standard deviations of single columns go from {one.scales[0]:.3g} to "
            f"{one.scales[1]:.3g}"
            if wide and one.scales is not None
            else ""
        )
        yield Finding(
            message=f"The inputs {one.name} are {what} (mean {one.mean:.3g}, standard deviation "
            f"{one.std:.3g}, over {count(one.rows)} rows), and go into {first} as they are{differ}{told}",
            where=replace(inputs.where, column=one.name),
            evidence={
                "input": one.name,
                "minimum": one.minimum,
                "maximum": one.maximum,
                "std": one.std,
                "scales": list(one.scales) if one.scales else None,
                "loss": high[1] if high else None,
                "chance": round(high[2], 4) if high else None,
            },
            remedy=RESCALE if bytes_of_images else NORMALIZE,
            severity=None if proven else Severity.NOTE,
        )


def _above_chance(
    outputs: Outputs | None, forward: Forward | None, *, plain: bool
) -> tuple[float, float, float] | None:
    """
    Return how many times guessing's the first loss is, that loss, and guessing's.

    `plain` says whether the optimizer takes gradients as long as they are.
    """
    if outputs is None or forward is None or len(outputs.outputs) != 1:
        return None
    one = outputs.outputs[0]
    if one.loss is None or one.loss.own or not forward.known("loss") or not one.units:
        return None
    if one.loss.name == "binary_crossentropy" and plain:
        chance = log(2)  # of yes and no, whatever the number of units
    elif one.loss.name in SPARSE | CATEGORICAL and one.units > 1:
        chance = log(one.units)
    else:
        return None
    return forward.loss / chance, forward.loss, chance

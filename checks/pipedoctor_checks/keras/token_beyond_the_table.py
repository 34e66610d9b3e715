from collections.abc import Iterator
from dataclasses import replace

from pipedoctor import Finding, Severity, Stage, Train, check
from pipedoctor.facts import Inputs, Layers


@check(
    "KER019",
    Severity.ERROR,
    stage=Stage.MODEL,
    symptoms={
        r"indices\[.*\] = \d+ is not in \[0, \d+\)": "raise input_dim of the Embedding",
    },
)
def token_beyond_the_table(inputs: Train[Inputs], layers: Layers) -> Iterator[Finding]:
    """
    An input holds a number for which the `Embedding` it goes into has no row.

    `input_dim` is the largest number plus one. A larger one is an error on a CPU; on a GPU it
    reads zeros, and with jax the last row, and nobody is told.

    Fails:

        import keras
        import numpy as np

        model = keras.Sequential(
            [keras.Input((6,)), keras.layers.Embedding(100, 8), keras.layers.Flatten()]
        )
        model.compile(optimizer="adam", loss="mse")
        x = np.random.default_rng(0).integers(0, 120, size=(200, 6))
        y = np.zeros((200, 48))

    Passes:

        import keras
        import numpy as np

        model = keras.Sequential(
            [keras.Input((6,)), keras.layers.Embedding(120, 8), keras.layers.Flatten()]
        )
        model.compile(optimizer="adam", loss="mse")
        x = np.random.default_rng(0).integers(0, 120, size=(200, 6))
        y = np.zeros((200, 48))

    See also: <https://keras.io/api/layers/core_layers/embedding/>.
    """
    tables = list(layers.of("Embedding"))
    for one in inputs.inputs:
        if one.layer != "Embedding" or len(tables) != 1 or one.maximum is None:
            continue  # of several tables, which one it goes into is not told
        size = tables[0].settings.get("input_dim")
        if not isinstance(size, int) or (one.maximum < size and (one.minimum or 0) >= 0):
            continue
        low, high = int(one.minimum or 0), int(one.maximum)
        yield Finding(
            message=f"{one.name} holds the numbers {low:,} to {high:,}, and {tables[0].name} has "
            f"{size:,} rows, for 0 to {size - 1:,}",
            where=replace(inputs.where, column=one.name),
            evidence={"input": one.name, "minimum": low, "maximum": high, "input_dim": size},
            remedy=f"Embedding({high + 1}, …)" if low >= 0 else "no numbers below 0 in the input",
        )

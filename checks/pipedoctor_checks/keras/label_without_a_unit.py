from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Compiled, Outputs
from pipedoctor.facts.outputs import Output, Targets
from pipedoctor_checks.keras._outputs import SPARSE, compared, layer, single

_FATE = {
    "tensorflow": "on a CPU the loss raises InvalidArgumentError, with XLA or on a GPU it is NaN",
    "torch": "the loss raises IndexError",
    "jax": "jax says nothing, and the rows teach something else",
}


@check(
    "KER001",
    Severity.ERROR,
    stage=Stage.LOSS,
    explains=("LAB001", "LOS002", "NUM001"),
    symptoms={
        r"Received a label value of -?\d+ which is outside the valid range": (
            "number the labels from 0 to units - 1, or give the last layer a unit for each"
        ),
    },
)
def label_without_a_unit(outputs: Outputs, compiled: Compiled) -> Iterator[Finding]:
    """
    A label is the number of a unit that the last layer does not have.

    `sparse_categorical_crossentropy` takes a label for the place of a unit, counted from 0. Labels
    from 1 to n ask for one after the last. What follows depends on where it runs: TensorFlow
    raises on a CPU, and gives NaN when compiled by XLA or on a GPU; torch raises; jax says nothing.
    Labels of the validation data are looked at too: a fit that trains well fails at its first
    evaluation.

    Fails:

        import keras
        import numpy as np

        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
        model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
        x = np.random.default_rng(0).normal(size=(60, 4))
        y = np.arange(60) % 3 + 1

    Passes:

        import keras
        import numpy as np

        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
        model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
        x = np.random.default_rng(0).normal(size=(60, 4))
        y = np.arange(60) % 3

    See also: <https://github.com/keras-team/tf-keras/issues/47>.
    """
    for one, loss in compared(outputs):
        targets, units = one.targets, one.units
        if loss not in SPARSE or targets is None or units is None or units == 1:
            continue
        ignored = one.loss.parameters.get("ignore_class") if one.loss is not None else None
        if isinstance(ignored, int):
            continue  # which labels are left after that one is not counted
        train, held_out = (_range(t, one) for t in (targets, one.held_out))
        if train is None:
            continue
        bad, what, held = train, "The labels", targets
        if _within(train, units) and held_out is not None and one.held_out is not None:
            bad, what, held = held_out, "The labels of the validation data", one.held_out
        if _within(bad, units):
            continue
        both = (train, held_out or train)
        low, high = int(min(one[0] for one in both)), int(max(one[1] for one in both))
        remedies = _remedies(one, low, high, units, compiled)
        yield Finding(
            message=f"{what} go from {bad[0]:g} to {bad[1]:g}, and {layer(one)}, knows 0 to "
            f"{units - 1}: {_FATE.get(compiled.backend, 'the loss fails')}",
            where=one.where,
            evidence={
                "output": one.name,
                "units": units,
                "minimum": bad[0],
                "maximum": bad[1],
                "backend": compiled.backend,
            },
            remedy=remedies[0],
            alternatives=remedies[1:] if not held.complete else (),
        )


def _range(targets: Targets | None, one: Output) -> tuple[float, float] | None:
    """Return the smallest and the largest label, where each is the number of a unit."""
    if targets is None or targets.minimum is None or targets.maximum is None:
        return None
    return (targets.minimum, targets.maximum) if single(targets, one) else None


def _within(held: tuple[float, float], units: int) -> bool:
    return held[0] >= 0 and held[1] < units


def _remedies(one: Output, low: int, high: int, units: int, compiled: Compiled) -> tuple[str, ...]:
    """Return what makes room; the second where labels that were not read may be smaller."""
    if low < 0:
        logits = one.loss is not None and one.loss.from_logits
        words = f"ignore_class={low}{', from_logits=True' if logits else ''}"
        loss = f"{compiled.library}.losses.SparseCategoricalCrossentropy({words})"
        return (f"leave out the rows labelled {low}, or loss={loss}",)
    wider = f"Dense({high + 1}, …) as the last layer"
    if compiled.lender == "transformers":
        wider = f"from_pretrained(…, num_labels={high + 1}): the labels 0 to {high} are {high + 1}"
    if low > 0 and high - low < units:
        return f"y = y - {low}: the labels start at {low}, the units at 0", wider
    return (wider,)

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Compiled, Outputs
from pipedoctor.facts.outputs import Output
from pipedoctor_checks.keras import _in_text
from pipedoctor_checks.keras._outputs import (
    CROSS_ENTROPIES,
    PROBABILITIES,
    SCORES,
    activation_for,
    compared,
    given,
    is_probability,
    layer,
    written,
)


@check(
    "KER002",
    Severity.ERROR,
    stage=Stage.LOSS,
    explains=("LOS002",),
    symptoms={
        r"received `from_logits=True`, but": (
            "drop from_logits=True, or the softmax or sigmoid of the last layer: one of them does"
        )
    },
    in_text=_in_text.loss_and_output_disagree_on_logits,
)
def loss_and_output_disagree_on_logits(outputs: Outputs, compiled: Compiled) -> Iterator[Finding]:
    """
    The loss takes probabilities and gets scores, or takes scores and gets probabilities.

    The cross-entropies of Keras take probabilities unless they are told `from_logits=True`; a loss
    that is named by a text always takes them. The scores of a linear layer are then divided by
    their sum and cut off at 0 and 1, where the gradient is zero: the loss is stuck, or NaN. The
    other way round the softmax is applied twice by the backends torch and jax, which learns
    slowly; that of tensorflow finds the scores again, and warns.

    Fails:

        script = '''
        import keras
        from keras import layers

        model = keras.Sequential([layers.Dense(64, activation="relu"), layers.Dense(10)])
        model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
        model.fit(x, y)
        '''

    Passes:

        import keras
        import numpy as np

        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer="adam", loss=loss)
        x = np.random.default_rng(0).normal(size=(60, 4))
        y = np.arange(60) % 3

    See also: <https://keras.io/api/losses/probabilistic_losses/>.
    """
    for one, loss in compared(outputs):
        if loss not in CROSS_ENTROPIES or one.loss is None:
            continue
        if one.loss.from_logits and one.activation in PROBABILITIES:
            yield _twice(one, loss, compiled)
        elif (
            one.loss.from_logits is False and one.activation in SCORES and not is_probability(one)
        ):
            yield _scores(one, loss, compiled)


def _evidence(one: Output, loss: str) -> dict[str, object]:
    return {
        "output": one.name,
        "activation": one.activation,
        "loss": loss,
        "from_logits": one.loss.from_logits if one.loss is not None else None,
        "range": [one.minimum, one.maximum] if one.minimum is not None else None,
    }


def _twice(one: Output, loss: str, compiled: Compiled) -> Finding:
    if compiled.backend == "tensorflow":
        fate = "TensorFlow finds the scores again, torch and jax apply it twice"
    else:
        fate = f"the backend {compiled.backend} applies it a second time"
    return Finding(
        message=f"{layer(one, first=True)}, applies {one.activation}, and {loss} is told "
        f"from_logits=True: {fate}",
        where=one.where,
        evidence=_evidence(one, loss),
        remedy="delete from_logits=True of the loss",
        alternatives=(f'delete activation="{one.activation}" of the last layer',),
        severity=Severity.WARNING,
    )


def _others(compiled: Compiled, activation: str) -> tuple[str, ...]:
    """Return what else cures it; the models of transformers end in scores, and know a loss."""
    if compiled.lender == "transformers":
        return ("compile without loss=: the model then takes its own, on scores",)
    return (activation,)


def _scores(one: Output, loss: str, compiled: Compiled) -> Finding:
    linear = one.activation == "linear"
    shown = ""
    if one.minimum is not None and one.maximum is not None:
        shown = f" ({one.minimum:.3g} to {one.maximum:.3g} in the first batch)"
    activation = f'activation="{activation_for(loss)}" in the last layer'
    return Finding(
        message=f"{layer(one, first=True)}, has {given(one.activation)}, so it gives scores"
        f"{shown}, and {loss} takes probabilities: from_logits is False, its default",
        where=one.loss.where if one.loss is not None and linear else one.where,
        evidence=_evidence(one, loss),
        remedy=f"loss={written(loss, logits=True, library=compiled.library)}"
        if linear
        else activation,
        alternatives=_others(compiled, activation) if linear else (),
    )

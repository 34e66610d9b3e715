from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Script
from pipedoctor_checks.keras._models import CROSS_ENTROPIES, compiled

_PROBABILITIES = frozenset({"softmax", "sigmoid"})
_UNBOUNDED = frozenset({"linear", "relu", "tanh", "elu", "selu", "gelu", "leaky_relu", "swish"})
_CLASSES = {
    "binary_crossentropy": "BinaryCrossentropy",
    "categorical_crossentropy": "CategoricalCrossentropy",
    "sparse_categorical_crossentropy": "SparseCategoricalCrossentropy",
}


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
)
def loss_and_output_disagree_on_logits(script: Script) -> Iterator[Finding]:
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

        script = '''
        import keras
        from keras import layers

        model = keras.Sequential([layers.Dense(64, activation="relu"), layers.Dense(10)])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer="adam", loss=loss)
        model.fit(x, y)
        '''

    See also: <https://keras.io/api/losses/probabilistic_losses/>.
    """
    for one in compiled(script):
        if one.last is None or one.loss is None or one.loss.name not in CROSS_ENTROPIES:
            continue
        last, loss = one.last, one.loss
        evidence = {
            "activation": last.activation,
            "loss": loss.name,
            "from_logits": loss.from_logits,
        }
        if loss.from_logits and last.activation in _PROBABILITIES:
            yield Finding(
                message=f"The last layer (line {last.call.line}) applies {last.activation}, and "
                f"{loss.name} is told from_logits=True: the backends torch and jax apply it twice",
                where=last.call.where,
                evidence=evidence,
                remedy=f"delete from_logits=True in line {loss.value.where.line}",
                alternatives=(f'delete activation="{last.activation}" of the last layer',),
                severity=Severity.WARNING,
            )
        if loss.from_logits is False and last.activation in _UNBOUNDED:
            given = "no activation" if last.activation == "linear" else last.activation
            yield Finding(
                message=f"The last layer (line {last.call.line}) has {given}, so it gives scores, "
                f"and {loss.name} takes probabilities: from_logits is False, its default",
                where=last.call.where,
                evidence=evidence,
                remedy=f"loss=keras.losses.{_CLASSES[loss.name]}(from_logits=True)"
                if last.activation == "linear"
                else f'activation="{_wanted(loss.name)}" in the last layer',
                alternatives=(f'activation="{_wanted(loss.name)}" in the last layer',)
                if last.activation == "linear"
                else (),
            )


def _wanted(loss: str) -> str:
    return "sigmoid" if loss == "binary_crossentropy" else "softmax"

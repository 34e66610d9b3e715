from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, Unavailable, check
from pipedoctor.facts import Fit, Layer, Layers, Script


@check("GRD012", Severity.WARNING, stage=Stage.UPDATE)
def batch_norm_statistics_lag(
    layers: Layers, fit: Fit, script: Script | None, *, remaining: float = 0.5
) -> Iterator[Finding]:
    """
    BatchNormalization is updated too few times for its statistics to become those of the data.

    In training it goes by the batch, in evaluation by moving averages, which start at mean 0 and
    variance 1 and keep `momentum` of themselves at each update. With Keras' 0.99, after 16 updates
    85 % of them is still where they started: the training accuracy is fine and the one of the same
    rows in evaluation near chance. Told where more than `remaining` is left at the end; after half
    the initial value is gone the rest is in most networks made up for by the data's own scale. A
    note where nobody is seen to evaluate the model: neither `fit` nor the script.

    Fails:

        import keras
        import numpy as np

        model = keras.Sequential(
            [keras.Input((4,)), keras.layers.BatchNormalization(), keras.layers.Dense(1)]
        )
        model.compile(optimizer="adam", loss="mse")
        x = np.random.default_rng(0).normal(40, 6, size=(128, 4))
        y = x.sum(axis=1, keepdims=True)
        batch_size = 32
        epochs = 4

    Passes:

        import keras
        import numpy as np

        model = keras.Sequential(
            [
                keras.Input((4,)),
                keras.layers.BatchNormalization(momentum=0.5),
                keras.layers.Dense(1),
            ]
        )
        model.compile(optimizer="adam", loss="mse")
        x = np.random.default_rng(0).normal(40, 6, size=(128, 4))
        y = x.sum(axis=1, keepdims=True)
        batch_size = 32
        epochs = 4

    See also: <https://keras.io/api/layers/normalization_layers/batch_normalization/>.
    """
    if not fit.known("steps"):
        raise Unavailable("the number of updates is not known")
    updates = fit.steps * (fit.epochs - fit.initial_epoch)
    slow = []
    for one in layers.of("BatchNormalization"):
        momentum = one.settings.get("momentum")
        if not isinstance(momentum, (int, float)) or not one.trainable or not _fresh(one):
            continue
        left = float(momentum) ** updates
        if left > remaining:
            slow.append((left, float(momentum), one))
    if not slow or updates <= 0:
        return
    left, momentum, one = max(slow, key=lambda found: found[0])
    others, verb = (f" and {len(slow) - 1} more", "are") if len(slow) > 1 else ("", "is")
    wanted = max(0.0, round(0.05 ** (1 / updates), 2))
    yield Finding(
        message=f"{one.path or one.name}{others} (BatchNormalization, momentum {momentum:g}) {verb} "
        f"updated {updates} time{'s' * (updates > 1)}: the moving statistics still hold {left:.0%} of "
        "their initial values when the model is evaluated",
        where=one.where,
        evidence={
            "updates": updates,
            "momentum": momentum,
            "remaining": round(left, 4),
            "layers": [layer.name for _, _, layer in slow],
        },
        remedy=f"BatchNormalization(momentum={wanted:g}), which leaves 5 % after {updates} update{'s' * (updates > 1)}",
        alternatives=("train for more epochs, or with a smaller batch_size",),
        severity=None if fit.validation is not None or _evaluated(script) else Severity.NOTE,
    )


def _evaluated(script: Script | None) -> bool:
    """Whether the script evaluates a model, or predicts with it."""
    calls = () if script is None else script.calls
    return any(call.text.rpartition(".")[2] in {"evaluate", "predict"} for call in calls)


def _fresh(one: Layer) -> bool:
    """Whether its moving statistics are as they are made, not those of an earlier training."""
    values = {weight.name: weight for weight in one.weights}
    mean, variance = values.get("moving_mean"), values.get("moving_variance")
    if mean is None or variance is None:
        return False
    return (mean.constant and mean.minimum == 0) and (variance.constant and variance.minimum == 1)

"""Why a batch is not learned, as the layers, the outputs and the losses of Keras tell it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import inf
from typing import Any

from pipedoctor.facts.layers import Layer, Layers
from pipedoctor.facts.outputs import Output, Outputs
from pipedoctor.facts.overfit import Reason
from pipedoctor.frameworks.learning.verdicts import Seen

CATEGORICAL = frozenset(
    {
        "categorical_crossentropy",
        "categorical_focal_crossentropy",
        "sparse_categorical_crossentropy",
    }
)
BINARY = frozenset({"binary_crossentropy", "binary_focal_crossentropy"})
DISTANCES = frozenset({"mean_squared_error", "mean_absolute_error", "huber", "log_cosh"})
PROBABILITIES = frozenset({"softmax", "sigmoid"})
RANGES = {
    "sigmoid": (0.0, 1.0),
    "hard_sigmoid": (0.0, 1.0),
    "softmax": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "relu": (0.0, inf),
    "softplus": (0.0, inf),
}
"""What an activation can give out."""

SLACK = 1e-3
"""A target so little beyond the range of an activation is rounding."""

KERNELS = frozenset(
    {"Dense", "Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose", "EinsumDense"}
)

EXPLAINS = {
    "softmax-on-one-unit": ("answers-ignore-inputs", "zero-gradients"),
    "weights-zero": ("answers-ignore-inputs", "zero-gradients"),
}
"""Kinds of reasons that leave nothing to be said by these others."""

FEWEST = 3
"""Fewer units than this may be alike by design."""

WORDS = {
    "nothing-trainable": (
        "no weight is trained: trainable is False for the model or for each of its layers",
        "model.trainable = True, or that of the layers to be trained, and compile again",
    ),
    "loss-detached": (
        None,
        (
            "compute the loss from the model's answers with keras.ops, without stop_gradient, .numpy() "
            "or numpy on the way"
        ),
    ),
    "weights-equal": (
        None,
        'kernel_initializer="he_uniform" for relu, else leave it out ("glorot_uniform")',
    ),
    "no-gradient": (
        None,
        (
            "the graph is cut between them and the loss: look for stop_gradient, .numpy(), argmax, or "
            "a layer that call() does not use"
        ),
    ),
    "updates-rounded-away": (
        None,
        (
            'keep the weights in float32 with keras.mixed_precision.set_global_policy("mixed_bfloat16"), '
            "or raise the learning rate"
        ),
    ),
    "loss-broadcasts": (
        None,
        (
            "give both one shape: y_pred = keras.ops.squeeze(y_pred, -1), or y = "
            "keras.ops.reshape(y, keras.ops.shape(y_pred))"
        ),
    ),
    "labels-far-away": (
        None,
        (
            "standardise y: y = (y - mean) / std, with both taken from the training data, and "
            "predictions * std + mean to get back"
        ),
    ),
    "schedule-spent": (
        None,
        "decay_steps=epochs * steps_per_epoch in the schedule: Keras counts batches, not epochs",
    ),
    "weight-decay-wins": (None, "weight_decay=0.004 in the optimizer, the default of AdamW"),
}
"""What is said of a kind in the words of Keras: message and remedy, None where the usual one holds."""


def expanding(model: Any) -> bool:
    """Whether Keras gives labels and answers as many axes before the model's loss sees them."""
    loss = getattr(model, "loss", None)
    if isinstance(loss, (list, tuple, dict)) and len(loss) == 1:
        (loss,) = loss.values() if isinstance(loss, dict) else loss
    # It does so for a function; an instance of Loss gets them as they are.
    return callable(loss) and not hasattr(loss, "call")


def _squeezed(reason: Reason, rows: int) -> Reason:
    """Return what a loss function has done that got labels and answers of one shape."""
    column = [rows, 1]
    return replace(
        reason,
        message=f"the loss function gets labels and answers of shape {column} each, as Keras adds "
        f"the axis that the labels lack, and drops an axis of one of them only: {column} and "
        f"{[rows]} are broadcast to {rows} x {rows}, and each answer is compared with the labels of "
        "all rows",
        remedy="in the loss, squeeze neither or both: without keras.ops.squeeze(y_pred, -1), or with "
        "y_true = keras.ops.squeeze(y_true, -1) beside it",
        evidence={"answers": column, "labels": column},
    )


def worded(reason: Reason, *, expanded: bool = False) -> Reason:
    """Return a reason in the words of Keras; `expanded` is what `expanding` says of the model."""
    if reason.kind == "loss-broadcasts" and expanded:
        match reason.evidence:
            case {"answers": [int(), 1], "labels": [int(rows)]}:
                return _squeezed(reason, rows)
    message, remedy = WORDS.get(reason.kind, (None, None))
    told = replace(reason, message=message or reason.message, remedy=remedy or reason.remedy)
    return replace(
        told,
        message=told.message.replace("forward()", "call()"),
        remedy=told.remedy.replace("forward()", "call()"),
        code="KER005" if reason.kind == "nothing-trainable" else reason.code,
    )


def structural(outputs: Outputs | None, layers: Layers | None) -> Iterator[Reason]:
    """Yield what is wrong with the ends of the model, and with how its weights start."""
    for one in outputs.outputs if outputs is not None else ():
        found = _of_the_end(one)
        if found is not None:
            yield found
    zero = [layer for layer in hidden(layers, outputs) if _kernel(layer, zero=True)]
    if zero:
        names = ", ".join(layer.name for layer in zero[:3])
        yield Reason(
            "weights-zero",
            f"the kernel of {names} is all zero before the first update: nothing of the inputs "
            "passes, and no gradient",
            WORDS["weights-equal"][1] or "",
            "GRD009",
            layer=zero[0].name,
            evidence={"layers": [layer.name for layer in zero]},
        )


def equal(layers: Layers | None, outputs: Outputs | None) -> tuple[str, ...]:
    """Return the kernels between layers whose units all have the same weights, not zero."""
    return tuple(
        f"{layer.path or layer.name}/kernel"
        for layer in hidden(layers, outputs)
        if _kernel(layer, zero=False)
    )


def hidden(layers: Layers | None, outputs: Outputs | None) -> list[Layer]:
    """Return the layers with kernels that no output comes from."""
    if layers is None:
        return []
    ends = {one.layer for one in outputs.outputs} if outputs is not None else set()
    found = [layer for layer in layers.of(*KERNELS) if layer.trainable]
    return [layer for layer in found if layer.name not in ends] if ends - {""} else found[:-1]


def _kernel(layer: Layer, *, zero: bool) -> bool:
    kernel = next((w for w in layer.weights if w.name.endswith("kernel")), None)
    if kernel is None or (layer.units or 0) < FEWEST or kernel.not_finite:
        return False
    if kernel.constant and kernel.maximum == 0.0:
        return zero
    return not zero and kernel.alike == kernel.shape[-1]


def of_seen(seen: Seen) -> bool:
    """Whether something was seen that comes before any look at the ends of the model."""
    return not seen.trainable or not seen.connected or seen.alike


def _of_the_end(one: Output) -> Reason | None:
    layer = f"the last layer, {one.layer or one.name}"
    if one.activation == "softmax" and one.units == 1:
        return Reason(
            "softmax-on-one-unit",
            f"{layer}, has one unit and a softmax, which makes each answer 1.0",
            'Dense(1, activation="sigmoid") with loss="binary_crossentropy"',
            "KER003",
            layer=one.layer or None,
            evidence={"units": 1, "activation": "softmax"},
        )
    if one.loss is None or one.loss.own:
        return None
    loss, evidence = one.loss.name, {"loss": one.loss.name, "activation": one.activation}
    if one.units == 1 and loss in CATEGORICAL:
        return Reason(
            "categorical-loss-on-one-unit",
            f"{loss} compares classes, and {layer}, gives one number",
            'loss="binary_crossentropy" for two classes, or one unit for each class',
            "KER015",
            layer=one.layer or None,
            evidence=evidence,
        )
    return _of_logits(one, loss, layer, evidence) or _of_targets(one, loss, layer, evidence)


def _of_logits(one: Output, loss: str, layer: str, evidence: dict[str, str]) -> Reason | None:
    assert one.loss is not None
    if loss not in CATEGORICAL | BINARY:
        return None
    low, high = one.minimum, one.maximum
    if one.loss.from_logits and one.activation in PROBABILITIES:
        return Reason(
            "probabilities-in-a-loss-of-scores",
            f"{layer}, applies {one.activation}, and {loss} with from_logits=True applies it again",
            "delete from_logits=True of the loss",
            "KER002",
            layer=one.layer or None,
            evidence=evidence,
        )
    scores = one.activation not in {"", *PROBABILITIES} and low is not None and high is not None
    if one.loss.from_logits is False and scores and (low < 0 or high > 1):  # type: ignore[operator] # both are numbers there
        name = "".join(word.title() for word in loss.split("_"))
        return Reason(
            "scores-in-a-loss-of-probabilities",
            f"{layer}, gives scores ({low:.3g} to {high:.3g} in the first batch), and {loss} takes "
            "probabilities: from_logits is False",
            f"loss=keras.losses.{name}(from_logits=True)",
            "KER002",
            layer=one.layer or None,
            evidence={**evidence, "minimum": low, "maximum": high},
        )
    return None


def _of_targets(one: Output, loss: str, layer: str, evidence: dict[str, str]) -> Reason | None:
    targets = one.targets
    if targets is None or targets.minimum is None or targets.maximum is None:
        return None
    low, high = RANGES.get(one.activation, (-inf, inf))
    if loss in DISTANCES and (targets.minimum < low - SLACK or targets.maximum > high + SLACK):
        return Reason(
            "targets-out-of-reach",
            f"the labels go from {targets.minimum:.4g} to {targets.maximum:.4g}, and {layer}, has a "
            f"{one.activation}, which gives {low:g} to {high:g}",
            "no activation in the last layer, if the labels are quantities",
            "DAT022",
            layer=one.layer or None,
            evidence={**evidence, "minimum": targets.minimum, "maximum": targets.maximum},
        )
    beyond = targets.minimum < 0 or targets.maximum >= (one.units or inf)
    ignored = one.loss.parameters.get("ignore_class") if one.loss is not None else None
    known = loss == "sparse_categorical_crossentropy" and ignored is None
    if known and beyond:
        return Reason(
            "label-without-a-unit",
            f"the labels go from {targets.minimum:g} to {targets.maximum:g}, and {layer}, knows 0 "
            f"to {(one.units or 1) - 1}",
            f"Dense({int(targets.maximum) + 1}, …) as the last layer, or number the labels from 0",
            "KER001",
            layer=one.layer or None,
            evidence={**evidence, "minimum": targets.minimum, "maximum": targets.maximum},
        )
    return None

"""Faults of losses and last layers that the text of a Keras script shows before anything is run."""

from __future__ import annotations

from collections.abc import Iterator

from pipedoctor.facts import Call, Script
from pipedoctor.finding import Finding, Severity
from pipedoctor_checks.keras._models import CROSS_ENTROPIES, compiled, keras, of
from pipedoctor_checks.keras._outputs import (
    CATEGORICAL,
    PROBABILITIES,
    SCORES,
    SPARSE,
    activation_for,
    given,
    written,
)

SIGMOID = 'activation="sigmoid" with loss="binary_crossentropy", for two classes'
UNITS = "a unit for each class, with a loss for categories"
BINARY = 'loss="binary_crossentropy" and activation="sigmoid", for two classes'
SOFTMAX = 'a unit for each class, with activation="softmax"'


def softmax_on_one_unit(script: Script) -> Iterator[Finding]:
    """Find a softmax over a single unit."""
    seen: set[int] = set()
    for one in compiled(script):
        last = one.last
        if last is None or last.activation != "softmax" or last.units != 1:
            continue
        if last.call.number in seen:
            continue
        seen.add(last.call.number)
        yield Finding(
            message=f"Line {last.call.line} gives the last layer 1 unit and a softmax, which makes "
            "every output 1.0: nothing can be learned",
            where=last.call.where,
            evidence={"units": 1, "activation": "softmax"},
            remedy=SIGMOID,
            alternatives=(UNITS,),
        )


def categorical_loss_on_one_unit(script: Script) -> Iterator[Finding]:
    """Find a loss for classes where there is one unit."""
    for one in compiled(script):
        if one.last is None or one.loss is None or one.last.units != 1:
            continue
        if one.loss.name in CATEGORICAL | SPARSE:
            yield Finding(
                message=f"{one.loss.name} compares classes, and the last layer (line "
                f"{one.last.call.line}) has 1 unit: there is nothing to compare",
                where=one.loss.value.where,
                evidence={"units": 1, "loss": one.loss.name, "activation": one.last.activation},
                remedy=BINARY,
                alternatives=(SOFTMAX,),
            )


def loss_and_output_disagree_on_logits(script: Script) -> Iterator[Finding]:
    """Find probabilities where scores are wanted, and the other way round."""
    for one in compiled(script):
        if one.last is None or one.loss is None or one.loss.name not in CROSS_ENTROPIES:
            continue
        last, loss = one.last, one.loss
        evidence = {
            "activation": last.activation,
            "loss": loss.name,
            "from_logits": loss.from_logits,
        }
        if loss.from_logits and last.activation in PROBABILITIES:
            yield Finding(
                message=f"The last layer (line {last.call.line}) applies {last.activation}, and "
                f"{loss.name} is told from_logits=True: the backends torch and jax apply it twice",
                where=last.call.where,
                evidence=evidence,
                remedy=f"delete from_logits=True in line {loss.value.where.line}",
                alternatives=(f'delete activation="{last.activation}" of the last layer',),
                severity=Severity.WARNING,
            )
        if loss.from_logits is False and last.activation in SCORES:
            yield Finding(
                message=f"The last layer (line {last.call.line}) has {given(last.activation)}, so it gives scores, "
                f"and {loss.name} takes probabilities: from_logits is False, its default",
                where=last.call.where,
                evidence=evidence,
                remedy=f"loss={written(loss.name, logits=True)}"
                if last.activation == "linear"
                else f'activation="{activation_for(loss.name)}" in the last layer',
                alternatives=(f'activation="{activation_for(loss.name)}" in the last layer',)
                if last.activation == "linear"
                else (),
            )


def labels_in_another_form(script: Script) -> Iterator[Finding]:
    """Find one-hot labels where class numbers are wanted, and other classes than units."""
    for fit in script.trainings:
        model, labels = of(script, fit), _one_hot(script, fit)
        if model is None or labels is None or model.loss is None or fit.open:
            continue
        loss, last = model.loss, model.last
        if loss.name == "sparse_categorical_crossentropy":
            yield Finding(
                message=f"The labels are one-hot, from {labels.text} in line {labels.line}, and "
                f"{loss.name} takes class numbers",
                where=loss.value.where,
                evidence={"loss": loss.name, "labels": labels.text, "line": labels.line},
                remedy=f"{loss.value.text.replace('sparse_', '').replace('Sparse', '')} as the loss",
                alternatives=(f"drop {labels.text} in line {labels.line}",),
            )
        number = labels.argument("num_classes", 1)
        classes = number.get() if number is not None else None
        units = last.units if last is not None else None
        known = isinstance(classes, int) and units is not None
        if known and classes != units and loss.name == "categorical_crossentropy" and last:
            yield Finding(
                message=f"The labels have {classes} classes ({labels.text}, line {labels.line}), "
                f"and the last layer has {units} units",
                where=last.call.where,
                evidence={"classes": classes, "units": units},
                remedy=f"Dense({classes}, …) in line {last.call.line}",
            )


def _one_hot(script: Script, fit: Call) -> Call | None:
    """Return the call that makes the labels one-hot, if nothing else does anything to them."""
    made = script.makers(fit.argument("y", 1))
    return made[0] if len(made) == 1 and keras(made[0], "to_categorical") else None

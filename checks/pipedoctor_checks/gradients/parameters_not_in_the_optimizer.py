from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipedoctor import Finding, Location, Severity, Stage, check
from pipedoctor.facts import Gradients, Model, Optimizer
from pipedoctor.facts.gradients import layer_of, summarised
from pipedoctor_checks.gradients._changes import changed_after_the_optimizer
from pipedoctor_checks.gradients.frozen_by_accident import HEADS


@check(
    "GRD004",
    Severity.ERROR,
    stage=Stage.UPDATE,
    explains=("LOS003",),
    in_text=changed_after_the_optimizer,
)
def parameters_not_in_the_optimizer(
    optimizer: Optimizer, model: Model | None, gradients: Gradients | None
) -> Iterator[Finding]:
    """
    Parameters are to be trained, and the optimizer does not hold them.

    An optimizer updates the tensors that it was given when it was made, and no others. If a layer
    is replaced afterwards (a new head, `resize_token_embeddings`), it goes on with the old one,
    and the new one stays as it was made. The same happens with an optimizer of another model, or
    of one that was loaded anew. The loss may still fall a little, so nothing tells you.

    Leaving trained layers out on purpose is no fault; freezing them saves their gradients. A layer
    that was never trained before stays random if it is left out. It is an error where that is the
    head: every answer goes through it.

    Fails:

        import torch
        from transformers import BertConfig, BertForSequenceClassification

        model = BertForSequenceClassification(
            BertConfig(
                vocab_size=100,
                hidden_size=16,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=16,
            )
        )
        optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5)
        model.classifier = torch.nn.Linear(16, 3)

    Passes:

        import torch
        from transformers import BertConfig, BertForSequenceClassification

        model = BertForSequenceClassification(
            BertConfig(
                vocab_size=100,
                hidden_size=16,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=16,
            )
        )
        model.classifier = torch.nn.Linear(16, 3)
        optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5)

    See also: <https://pytorch.org/docs/stable/optim.html#constructing-it>.
    """
    missing = optimizer.missing
    if not missing:
        return
    count = sum(missing.values())
    layers = tuple(dict.fromkeys(layer_of(name) for name in missing))
    strangers = len(optimizer.strangers)
    nothing = count == optimizer.trainable
    new = _new(model, missing, gradients)
    head = _head(model, new)
    message = (
        f"{optimizer.name} holds none of the {len(missing):,} trainable parameters"
        if nothing
        else f"{optimizer.name} lacks {len(missing):,} trainable parameters ({count:,} elements, "
        f"{count / optimizer.trainable:.1%}): {summarised(layers)}"
    )
    severity = Severity.NOTE
    if strangers:
        message += f"; it holds {strangers:,} that are not the model's"
    elif head is not None:
        message += f"; {head}, the head, has never been trained, and its weights stay random"
        layers = (head, *(layer for layer in layers if layer != head))
    elif new:
        layers = (layer_of(new[0]), *(layer for layer in layers if layer != layer_of(new[0])))
        message += f"; {layers[0]} has never been trained, and stays random"
    if nothing or strangers or head is not None:
        severity = Severity.ERROR
    elif new:
        severity = Severity.WARNING
    yield Finding(
        message=message,
        where=Location(layer=layers[0]),
        evidence={
            "optimizer": optimizer.name,
            "missing": list(missing)[:50],
            "elements": count,
            "trainable": optimizer.trainable,
            "strangers": [list(shape) for shape in optimizer.strangers[:10]],
        },
        remedy=_remedy(layers, severity, given=not nothing and not strangers),
        severity=severity,
    )


def _new(
    model: Model | None, missing: Mapping[str, int], gradients: Gradients | None
) -> tuple[str, ...]:
    """Return those of the missing parameters that start from random weights, and are used."""
    if model is None or not model.known("new"):
        return ()
    unused = set(gradients.without) if gradients is not None else set()
    return tuple(name for name in missing if name in model.new and name not in unused)


def _head(model: Model | None, new: tuple[str, ...]) -> str | None:
    """Return the layer that gives the answers, if it is among the new ones: the last with a matrix."""
    if model is None or not new:
        return None
    named = [name for name in new if set(name.split(".")[:-1]) & set(HEADS)]
    last = [name for name, parameter in model.parameters.items() if len(parameter.shape) > 1][-1:]
    head = [name for name in (*named, *last) if name in new]
    return layer_of(head[0]) if head else None


def _remedy(layers: tuple[str, ...], severity: Severity, *, given: bool) -> str:
    if severity is Severity.NOTE:
        return (
            "freeze them, if they are left out on purpose, and their gradients are not computed: "
            "parameter.requires_grad = False"
        )
    if given:
        return f"give the optimizer the parameters of {layers[0]} too, or all: model.parameters()"
    return (
        "make the optimizer once the model is complete and where it will be trained, from "
        "model.parameters()"
    )

from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, check
from pipedoctor.facts import Model, Optimizer
from pipedoctor.facts.gradients import layer_of, summarised
from pipedoctor_checks.gradients._changes import changed_after_the_optimizer


@check(
    "GRD004",
    Severity.ERROR,
    stage=Stage.UPDATE,
    explains=("LOS003",),
    in_text=changed_after_the_optimizer,
)
def parameters_not_in_the_optimizer(
    optimizer: Optimizer, model: Model | None
) -> Iterator[Finding]:
    """
    Parameters are to be trained, and the optimizer does not hold them.

    An optimizer updates the tensors that it was given when it was made, and no others. If a layer
    is replaced afterwards (a new head, `resize_token_embeddings`), it goes on with the old one,
    and the new one stays as it was made. The same happens with an optimizer of another model, or
    of one that was loaded anew. The loss may still fall a little, so nothing tells you.

    Leaving trained layers out on purpose is no fault; freezing them saves their gradients.

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
    new = _new(model, missing)
    message = (
        f"{optimizer.name} holds none of the {len(missing):,} trainable parameters"
        if nothing
        else f"{optimizer.name} lacks {len(missing):,} trainable parameters ({count:,} elements, "
        f"{count / optimizer.trainable:.1%}): {summarised(layers)}"
    )
    if strangers:
        message += f"; it holds {strangers:,} that are not the model's"
    elif new:
        message += f"; {layers[0]} has never been trained"
    severity = Severity.NOTE
    if nothing or strangers:
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
        remedy=_remedy(layers, severity),
        severity=severity,
    )


def _new(model: Model | None, missing: object) -> bool:
    """Whether all that is missing starts from random weights."""
    if model is None or not model.known("new") or not isinstance(missing, dict):
        return False
    return bool(missing) and set(missing) <= model.new


def _remedy(layers: tuple[str, ...], severity: Severity) -> str:
    if severity is Severity.NOTE:
        return (
            "freeze them, if they are left out on purpose, and their gradients are not computed: "
            "parameter.requires_grad = False"
        )
    if severity is Severity.WARNING:
        return f"give the optimizer the parameters of {layers[0]} too, or all: model.parameters()"
    return (
        "make the optimizer once the model is complete and where it will be trained, from "
        "model.parameters()"
    )

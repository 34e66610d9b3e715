from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, check
from pipedoctor.facts import Gradients, Settings
from pipedoctor.facts.gradients import layer_of, summarised

CURE = "model.enable_input_require_grads()"


@check(
    "LLM013",
    Severity.ERROR,
    stage=Stage.BACKWARD,
    symptoms={
        r"None of the inputs have requires_grad=True": (
            f"{CURE} before the training, or "
            'gradient_checkpointing_kwargs={"use_reentrant": False}'
        ),
    },
    explains=("ENV002", "GRD003"),
)
def checkpointing_cuts_off_adapters(
    gradients: Gradients, settings: Settings | None
) -> Iterator[Finding]:
    """
    Gradient checkpointing cuts the adapters off from the loss, so that they learn nothing.

    Reentrant checkpointing runs a layer without recording it, and records it anew in the backward
    pass; but only if one of the layer's inputs needs a gradient. With adapters the embeddings are
    frozen, so no input does, and the layer passes no gradient on to the adapters in it. Either
    the backward pass raises "element 0 of tensors does not require grad", or, if a head is
    trained besides, only that head learns, and nothing is said.

    Fails:

        from transformers import ViTConfig, ViTForImageClassification

        model = ViTForImageClassification(
            ViTConfig(
                hidden_size=16,
                num_hidden_layers=2,
                num_attention_heads=2,
                intermediate_size=16,
                image_size=8,
                patch_size=4,
            )
        )
        for name, parameter in model.named_parameters():
            in_a_layer = ".layers." in name and name.endswith(".bias")
            parameter.requires_grad = in_a_layer or "classifier" in name
        image = [[[0.5] * 8] * 8] * 3
        train_data = [{"pixel_values": image, "labels": row % 2} for row in range(8)]
        settings = {
            "gradient_checkpointing": True,
            "gradient_checkpointing_kwargs": {"use_reentrant": True},
        }

    Passes:

        from transformers import ViTConfig, ViTForImageClassification

        model = ViTForImageClassification(
            ViTConfig(
                hidden_size=16,
                num_hidden_layers=2,
                num_attention_heads=2,
                intermediate_size=16,
                image_size=8,
                patch_size=4,
            )
        )
        for name, parameter in model.named_parameters():
            in_a_layer = ".layers." in name and name.endswith(".bias")
            parameter.requires_grad = in_a_layer or "classifier" in name
        image = [[[0.5] * 8] * 8] * 3
        train_data = [{"pixel_values": image, "labels": row % 2} for row in range(8)]
        settings = {
            "gradient_checkpointing": True,
            "gradient_checkpointing_kwargs": {"use_reentrant": False},
        }

    See also: <https://github.com/huggingface/transformers/issues/26334>.
    """
    cut = gradients.cut
    if not cut:
        return
    count = sum(gradients.of[name].size for name in cut)
    layers = tuple(dict.fromkeys(layer_of(name) for name in cut))
    key = _key(settings)
    cures = [f'{key}={{"use_reentrant": False}}', f"{CURE} before the training starts"]
    if not _switched_on(settings):  # by a call of the user's own, which the arguments don't reach
        cures.reverse()
    rest = len(gradients.of) - len(gradients.without)
    consequence = (
        f"only the other {rest:,} learn"
        if gradients.connected
        else "the first backward pass raises RuntimeError: element 0 of tensors does not require "
        "grad and does not have a grad_fn"
    )
    yield Finding(
        message=f"{len(cut):,} of {len(gradients.of):,} trainable parameters ({count:,} elements, "
        f"{count / gradients.size:.1%}) are cut off by reentrant checkpointing, since no input of "
        f"their layers needs a gradient: {summarised(layers)}; {consequence}",
        where=Location() if settings is None else settings.where(key),
        evidence={
            "cut": list(cut[:50]),
            "count": len(cut),
            "trainable": len(gradients.of),
            "elements": count,
        },
        remedy=cures[0],
        alternatives=(cures[1],),
    )


def _switched_on(settings: Settings | None) -> bool:
    names = ("activation_checkpointing", "gradient_checkpointing")
    return settings is not None and any(settings.get(name) is True for name in names)


def _key(settings: Settings | None) -> str:
    """Return the argument's name as this run states it, else as its version has it."""
    names = ("activation_checkpointing_kwargs", "gradient_checkpointing_kwargs")
    if settings is None:
        return names[1]
    stated = [name for name in names if settings.stated.get(name) is not None]
    known = [name for name in names if name in settings.arguments.fields]
    return (stated or known or [names[1]])[0]

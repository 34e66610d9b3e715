from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, check
from pipedoctor.facts import Gradients

REMEDY = (
    "return the loss that was computed from the model's outputs, as the tensor that it is: no "
    ".item(), .detach(), .numpy(), torch.tensor(loss) or torch.no_grad() on its way"
)


@check(
    "LOS012",
    Severity.ERROR,
    stage=Stage.LOSS,
    symptoms={r"'float' object has no attribute '(backward|detach)'": REMEDY},
)
def loss_detached_from_the_model(gradients: Gradients) -> Iterator[Finding]:
    """
    The loss is a number that the model's parameters have no part in, so nothing is learned.

    A gradient flows back along the operations that made the loss. `.item()`, `.detach()`,
    `.numpy()` and `torch.tensor(loss)` make a new number and forget them, and `torch.no_grad()`
    records none. The backward pass then raises "element 0 of tensors does not require grad and
    does not have a grad_fn". Setting `requires_grad` on such a loss silences the error only: the
    training runs to its end, and no weight moves.

    Fails:

        import torch
        from transformers import BertConfig, BertForSequenceClassification

        class Detached(BertForSequenceClassification):
            def forward(self, **inputs):
                outputs = super().forward(**inputs)
                outputs.loss = torch.tensor(outputs.loss.item(), requires_grad=True)
                return outputs

        model = Detached(
            BertConfig(
                vocab_size=100,
                hidden_size=16,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=16,
            )
        )
        train_data = [{"input_ids": [2, 5, 3], "label": row % 2} for row in range(16)]
        settings = {"remove_unused_columns": False}

    Passes:

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
        train_data = [{"input_ids": [2, 5, 3], "label": row % 2} for row in range(16)]

    See also: <https://pytorch.org/docs/stable/generated/torch.Tensor.detach.html>.
    """
    trained = gradients.of
    if not trained or gradients.cut or len(gradients.without) < len(trained):
        return
    whose = "compute_loss" if gradients.own_loss else gradients.model
    silent = gradients.connected
    consequence = (
        "the training would run, and no weight would move"
        if silent
        else "the first backward pass raises RuntimeError: element 0 of tensors does not require "
        "grad and does not have a grad_fn"
    )
    yield Finding(
        message=f"The loss of {gradients.loss:.4g} that {whose} returns depends on none of the "
        f"{len(trained):,} trainable parameters: {consequence}",
        where=Location(split="train"),
        evidence={"loss": gradients.loss, "trainable": len(trained), "raises": not silent},
        remedy=REMEDY,
    )

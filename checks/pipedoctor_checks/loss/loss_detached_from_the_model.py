from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, check
from pipedoctor.facts import Gradients, Script
from pipedoctor_checks.gradients._loops import backwards, differentiated

REMEDY = (
    "return the loss that was computed from the model's outputs, as the tensor that it is: no "
    ".item(), .detach(), .numpy(), torch.tensor(loss) or torch.no_grad() on its way"
)

IN_KERAS = (
    "compute the loss from y_pred with keras.ops or the backend's own functions: no .numpy(), "
    "stop_gradient() or new variable on its way; where compile has no loss, give it one, and "
    "(inputs, targets) to fit"
)

_MAKERS = ("torch.tensor", "torch.as_tensor", "torch.FloatTensor", "torch.Tensor")
_DETACHING = (".detach", ".detach_", "autograd.Variable")


def _seen(script: Script) -> Iterator[Finding]:
    """Find a loss that was made anew, or detached, right before its backward pass."""
    seen: set[int] = set()
    for backward in backwards(script):
        made = differentiated(script, backward)
        if len(made) != 1 or made[0].number in seen:
            continue
        call = made[0]
        sure = call.place.branches == backward.place.branches[: len(call.place.branches)]
        if call.line > backward.line or not sure:  # a loop makes a record of it afterwards
            continue
        seen.add(call.number)
        anew = call.is_a(*_MAKERS) or call.text.endswith(_DETACHING)
        if not anew or call.place.runs == "never":
            continue
        needs = call.argument("requires_grad")
        silent = needs is not None and bool(needs.get())
        detached = call.text.endswith(".detach")
        given = call.argument("data", 0)
        # Of a number of its own, as in a lesson on gradients, nothing is lost.
        if not detached and (given is None or given.known or not silent):
            continue
        yield Finding(
            message=f"The loss that is differentiated is what {call.text}(…) makes in line "
            f"{call.line}, which forgets how it was computed: "
            + (
                "the training runs, and no weight moves" if silent else "no weight gets a gradient"
            ),
            where=call.where,
            evidence={"line": call.line, "call": call.text, "requires_grad": silent},
            remedy=f"delete line {call.line}, and call backward() of the loss as it was computed",
            severity=None if call.place.runs == "always" else Severity.WARNING,
        )


@check(
    "LOS012",
    Severity.ERROR,
    stage=Stage.LOSS,
    symptoms={r"'float' object has no attribute '(backward|detach)'": REMEDY},
    in_text=_seen,
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
    silent, keras = gradients.connected, gradients.library == "keras"
    consequence = (
        "the training would run, and no weight would move"
        if silent
        else "the first update raises ValueError: No gradients provided for any variable"
        if keras
        else "the first backward pass raises RuntimeError: element 0 of tensors does not require "
        "grad and does not have a grad_fn"
    )
    yield Finding(
        message=f"The loss of {gradients.loss:.4g} that {whose} returns depends on none of the "
        f"{len(trained):,} trainable parameters: {consequence}",
        where=Location(split="train"),
        evidence={"loss": gradients.loss, "trainable": len(trained), "raises": not silent},
        remedy=IN_KERAS if keras else REMEDY,
    )

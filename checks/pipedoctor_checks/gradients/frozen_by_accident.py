from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, check
from pipedoctor.facts import Model

HEADS = ("classifier", "score", "qa_outputs", "lm_head", "cls", "head")
"""The names that models of transformers give to the modules whose output is the answer."""


@check(
    "GRD006",
    Severity.ERROR,
    stage=Stage.MODEL,
    symptoms={
        r"element 0 of tensors does not require grad": "set requires_grad to True for what is to "
        "be trained; with gradient checkpointing, model.enable_input_require_grads()",
        r"optimizer got an empty parameter list": "set requires_grad to True for what is to be "
        "trained, before the Trainer is made",
    },
)
def frozen_by_accident(model: Model) -> Iterator[Finding]:
    """
    Nothing is left to train, or all but normalisation layers is frozen, the head included.

    A loop that freezes the encoder by a part of its parameters' names easily takes in more than
    it should. With no trainable parameter the first backward pass raises. With only
    normalisation weights and biases left, and a head that stays as it was made, the loss falls a
    little and the model learns next to nothing. Training biases together with the head (BitFit)
    and training adapters is no fault.

    Fails:

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
        for name, parameter in model.named_parameters():
            parameter.requires_grad = "LayerNorm" in name

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
        for parameter in model.bert.parameters():
            parameter.requires_grad = False
    """
    parameters = model.parameters
    trained = [name for name, parameter in parameters.items() if parameter.trainable]
    evidence = {"trainable": model.trainable, "parameters": model.size}
    if parameters and not trained:
        keras = model.library == "keras"
        fate = "fit changes nothing" if keras else "the first backward pass raises RuntimeError"
        yield Finding(
            message=f"None of the {len(parameters)} parameters of {model.name} is trainable; "
            f"{fate}",
            evidence=evidence,
            remedy="set trainable = True for the layers that are to be trained, then compile again"
            if keras
            else "set requires_grad = True for the parameters that are to be trained",
        )
        return
    head = [name for name in parameters if name.partition(".")[0] in HEADS]
    only_vectors = all(len(parameters[name].shape) < 2 for name in trained)
    if head and only_vectors and not set(head) & set(trained):
        layer = head[0].partition(".")[0]
        yield Finding(
            message=f"{model.trainable:,} of {model.size:,} elements are trainable "
            f"({model.trainable / model.size:.1%}), all of them biases or weights of normalisation "
            f"layers such as {trained[0]}; the head, {layer}, is frozen",
            where=Location(layer=layer),
            evidence=evidence | {"trained": trained[:10], "frozen_head": head},
            remedy=f"let the head learn: for p in model.{layer}.parameters(): p.requires_grad = True",
            alternatives=("freeze the encoder only, by its own module instead of by names",),
            severity=Severity.WARNING,
        )

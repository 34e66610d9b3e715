from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, Train, check
from pipedoctor.facts import Forward, Labels, Model

HEADLESS = "last_hidden_state"
"""What a model of Transformers returns that ends before any head."""

WITH_HEAD = (
    "load the model with a head: AutoModelForSequenceClassification.from_pretrained(checkpoint)"
)


@check(
    "LAB004",
    Severity.ERROR,
    stage=Stage.MODEL,
    symptoms={
        r"did not return a loss from the inputs, only the following keys: last_hidden_state": (
            WITH_HEAD
        ),
        r"got an unexpected keyword argument 'labels'": WITH_HEAD,
    },
    explains=("LAB003",),
)
def model_without_head(
    model: Model, forward: Train[Forward], labels: Train[Labels] | None
) -> Iterator[Finding]:
    """
    The model has no head: it returns hidden states, and no loss.

    `AutoModel` and the classes it stands for (`BertModel`, `T5Model`) end at the last hidden
    state. They know neither labels nor a loss; Trainer needs both. The classes for a task are
    named after it: `AutoModelForSequenceClassification`, `AutoModelForTokenClassification`.

    Fails:

        from transformers import BertConfig, BertModel

        model = BertModel(
            BertConfig(
                vocab_size=100,
                hidden_size=16,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=16,
            )
        )
        train_data = [{"input_ids": [2, 5, 3], "label": row % 2} for row in range(16)]

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

    See also: <https://huggingface.co/docs/transformers/model_doc/auto>.
    """
    if model.label_names or forward.known("loss") or HEADLESS not in forward.outputs:
        return
    yield Finding(
        message=f"{model.name} returned {', '.join(forward.outputs)} and no loss: it has no head",
        where=Location(origin=f"the class {model.name}"),
        evidence={"model": model.name, "outputs": list(forward.outputs)},
        remedy=_remedy(labels),
    )


def _remedy(labels: Labels | None) -> str:
    task, number = "SequenceClassification", "N"
    if labels is not None:
        if labels.per_token:
            task = "TokenClassification"
        if labels.width:
            number = str(labels.width)
        elif labels.kind == "float":
            number = "1"
        elif labels.kind in {"int", "bool"} and labels.known("counts"):
            number = str(len(labels.classes))
    meaning = ", with N the number of classes" if number == "N" else ""
    return f"AutoModelFor{task}.from_pretrained(checkpoint, num_labels={number}){meaning}"

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, Unavailable, check
from pipedoctor.facts import Evaluation

CURE = "in compute_metrics, take the class first: predictions = np.argmax(predictions, axis=-1)"


@check(
    "EVA002",
    Severity.ERROR,
    stage=Stage.EVALUATION,
    symptoms={
        r"only (size-1|length-1|0-dimensional) arrays can be converted": CURE,
        r"Classification metrics can't handle a mix of .* and continuous": CURE,
    },
)
def metrics_given_logits(evaluation: Evaluation) -> Iterator[Finding]:
    """
    The metrics function takes the logits for classes, and raises at the first evaluation.

    Trainer hands over what the model returned: a number for each class. A metric of classes needs
    the largest one, by `argmax`. Without it the run stops at its first evaluation, often after a
    whole epoch. The function is therefore called once with two real batches, before training.

    Fails:

        from datasets import Dataset
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
        eval_data = Dataset.from_dict({"input_ids": [[2, 5, 3], [2, 6, 3]], "labels": [0, 1]})

        def metrics(prediction):
            return {"first": float(prediction.predictions)}

    Passes:

        from datasets import Dataset
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
        eval_data = Dataset.from_dict({"input_ids": [[2, 5, 3], [2, 6, 3]], "labels": [0, 1]})

        def metrics(prediction):
            classes = prediction.predictions.argmax(axis=-1)
            return {"accuracy": float((classes == prediction.label_ids).mean())}

    See also: <https://huggingface.co/learn/llm-course/chapter8/4>.
    """
    if not evaluation.rehearsed:
        raise Unavailable("the metrics function was not called")
    yield from ()  # what the function raised is told by its text: see the symptoms

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, Unavailable, check
from pipedoctor.facts import Evaluation, Rehearsal
from pipedoctor_checks.evaluation._logits import logits_handed_on
from pipedoctor_checks.evaluation._raised import raised

CURE = "in compute_metrics, take the class first: predictions = np.argmax(predictions, axis=-1)"

ELSEWHERE = (
    "pass preprocess_logits_for_metrics=lambda logits, labels: logits.argmax(-1) to the Trainer, "
    "which keeps the scores out of memory too"
)


@check(
    "EVA002",
    Severity.ERROR,
    stage=Stage.EVALUATION,
    symptoms={
        r"only (size-1|length-1|0-dimensional) arrays can be converted": CURE,
        r"Classification metrics can't handle a mix of .* and continuous": CURE,
    },
    in_text=logits_handed_on,
)
def metrics_given_logits(
    rehearsal: Rehearsal, _evaluation: Evaluation | None
) -> Iterator[Finding]:
    """
    The metrics function takes the logits for classes, and raises at the first evaluation.

    Trainer hands over what the model returned: a number for each class. A metric of classes needs
    the largest one, by `argmax`. Without it the run stops at its first evaluation, often after a
    whole epoch. The function is therefore called before training, with a few real rows.

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
            hits = [int(answer) == label for answer, label in zip(*prediction)]
            return {"accuracy": sum(hits) / len(hits)}

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
    if not rehearsal.called:
        raise Unavailable(rehearsal.reason)
    if "classes" in rehearsal.cure.split():
        *rows, classes = rehearsal.shapes[0]
        yield Finding(
            message=f"{raised(rehearsal)}; it gets the {classes} scores of each class, an array of "
            f"shape {(*rows, classes)}; given the class of the highest score instead, it returns",
            where=rehearsal.where,
            evidence={"error": rehearsal.error, "shapes": [list(s) for s in rehearsal.shapes]},
            remedy=CURE,
            alternatives=(ELSEWHERE,),
        )

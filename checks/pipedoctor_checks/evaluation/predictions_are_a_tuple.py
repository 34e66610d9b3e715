from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Eval, Finding, Severity, Stage, Unavailable, check
from pipedoctor.facts import Evaluation, Forward, Rehearsal
from pipedoctor_checks.evaluation._raised import raised

CURE = (
    "in compute_metrics, take the logits first: predictions = predictions[0] "
    "if isinstance(predictions, tuple) else predictions"
)


@check(
    "EVA003",
    Severity.ERROR,
    stage=Stage.EVALUATION,
    symptoms={r"'tuple' object has no attribute 'argmax'": CURE},
)
def predictions_are_a_tuple(
    rehearsal: Rehearsal, forward: Eval[Forward] | None, _evaluation: Evaluation | None
) -> Iterator[Finding]:
    """
    The model returns more than its logits, so the metrics function gets a tuple of arrays.

    Whatever a model returns besides the loss is gathered: hidden states, attentions, the encoder's
    last state. With more than one of them `predictions` is a tuple, on which `np.argmax` raises
    "inhomogeneous shape" at the first evaluation. All of it is also kept in memory until the
    evaluation ends. A function that unpacks the tuple, as for questions and answers, is right.

    Fails:

        import numpy as np
        from datasets import Dataset
        from transformers import BertConfig, BertForSequenceClassification

        config = BertConfig(
            vocab_size=100,
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
            output_hidden_states=True,
        )
        model = BertForSequenceClassification(config)
        eval_data = Dataset.from_dict({"input_ids": [[2, 5, 3], [2, 6, 3]], "labels": [0, 1]})

        def metrics(prediction):
            classes = np.argmax(prediction.predictions, axis=-1)
            return {"accuracy": float((classes == prediction.label_ids).mean())}

    Passes:

        import numpy as np
        from datasets import Dataset
        from transformers import BertConfig, BertForSequenceClassification

        config = BertConfig(
            vocab_size=100,
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
            output_hidden_states=True,
        )
        model = BertForSequenceClassification(config)
        eval_data = Dataset.from_dict({"input_ids": [[2, 5, 3], [2, 6, 3]], "labels": [0, 1]})

        def metrics(prediction):
            classes = np.argmax(prediction.predictions[0], axis=-1)
            return {"accuracy": float((classes == prediction.label_ids).mean())}

    See also: <https://github.com/huggingface/transformers/issues/30104>.
    """
    if not rehearsal.called:
        raise Unavailable(rehearsal.reason)
    if "first" not in rehearsal.cure.split():
        return
    names = _names(forward, rehearsal.parts)
    more = [name for name in names if "logits" not in name]
    named = f" ({', '.join(names)})" if names else ""
    yield Finding(
        message=f"{raised(rehearsal)}; predictions is a tuple of {rehearsal.parts}{named}, and with the "
        f"first alone, of shape {rehearsal.shapes[0]}, it returns",
        where=rehearsal.where,
        evidence={
            "error": rehearsal.error,
            "parts": rehearsal.parts,
            "names": names,
            "shapes": [list(shape) for shape in rehearsal.shapes],
        },
        remedy=f"take them apart: {', '.join(names)} = predictions"
        if names and not more
        else CURE,
        alternatives=(
            f"leave the others out: trainer.train(ignore_keys_for_eval={more or '[...]'})",
            "pass preprocess_logits_for_metrics=lambda logits, labels: logits[0] to the Trainer",
        ),
    )


def _names(forward: Forward | None, parts: int) -> list[str]:
    """Return the names of the arrays of the tuple, where they can be told."""
    outputs = forward.outputs if forward is not None else ()
    names = [name for name in outputs if name not in {"loss", "past_key_values"}]
    return names if len(names) == parts else []

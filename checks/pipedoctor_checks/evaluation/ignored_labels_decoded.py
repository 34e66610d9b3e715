from __future__ import annotations

import re
from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, Unavailable, check
from pipedoctor.facts import Evaluation, Rehearsal
from pipedoctor_checks.evaluation._raised import raised

DECODING = (
    "in compute_metrics, before decoding: labels = np.where(labels != -100, labels, "
    "tokenizer.pad_token_id), and the same for predictions"
)
COUNTING = "in compute_metrics, leave out the positions at which the label is -100: labels != -100"

OTHER_TOKENIZERS = (r"chr\(\) arg not in range", r"piece id is out of range")
"""What tokenizers of bytes and of SentencePiece say; others may say so of other ids, too."""


@check(
    "EVA004",
    Severity.ERROR,
    stage=Stage.EVALUATION,
    symptoms={
        r"OverflowError: (out of range integral|number too small to fit|can't convert negative)": DECODING,
        r"can't convert negative (value|int) to unsigned": DECODING,
        r"KeyError: -100\b": COUNTING,
    },
)
def ignored_labels_decoded(
    rehearsal: Rehearsal, _evaluation: Evaluation | None
) -> Iterator[Finding]:
    """
    The metrics function takes -100 for a token or a class, and raises at the first evaluation.

    Collators fill labels with -100, which the loss leaves out. Trainer fills predictions with it
    too, where batches differ in length: generated texts do. No tokenizer has a token -100 (the
    fast ones raise `OverflowError`), and no list of label names has such an entry.

    Fails:

        from datasets import Dataset
        from transformers import BertConfig, BertForTokenClassification

        names = ["O", "PERSON"]
        config = BertConfig(
            vocab_size=100,
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
        )
        model = BertForTokenClassification(config)
        eval_data = Dataset.from_dict(
            {"input_ids": [[2, 5, 3], [2, 6, 3]], "labels": [[-100, 0, -100], [-100, 1, -100]]}
        )

        def metrics(prediction):
            classes = prediction.predictions.argmax(axis=-1).flatten()
            pairs = zip(classes, prediction.label_ids.flatten())
            return {"accuracy": sum(names[c] == names[label] for c, label in pairs) / 6}

    Passes:

        from datasets import Dataset
        from transformers import BertConfig, BertForTokenClassification

        names = ["O", "PERSON"]
        config = BertConfig(
            vocab_size=100,
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
        )
        model = BertForTokenClassification(config)
        eval_data = Dataset.from_dict(
            {"input_ids": [[2, 5, 3], [2, 6, 3]], "labels": [[-100, 0, -100], [-100, 1, -100]]}
        )

        def metrics(prediction):
            classes = prediction.predictions.argmax(axis=-1).flatten()
            pairs = [(c, l) for c, l in zip(classes, prediction.label_ids.flatten()) if l != -100]
            return {"accuracy": sum(names[c] == names[label] for c, label in pairs) / len(pairs)}

    See also: <https://github.com/huggingface/transformers/issues/22634>.
    """
    if not rehearsal.called:
        raise Unavailable(rehearsal.reason)
    if "filled" not in rehearsal.cure.split():
        return
    held = {name: count for name, count in rehearsal.ignored.items() if count}
    places = " and ".join(f"{count} times in the {name}" for name, count in held.items())
    unequal = rehearsal.generated and "predictions" in held
    yield Finding(
        message=f"{raised(rehearsal)}; -100 stands {places} of {rehearsal.rows} rows"
        + (", since batches of generated texts differ in length" if unequal else "")
        + ", and with a token in its place it returns",
        where=rehearsal.where,
        evidence={"error": rehearsal.error, "ignored": held, "rows": rehearsal.rows},
        remedy=DECODING if rehearsal.generated or _decodes(rehearsal.error) else COUNTING,
    )


def _decodes(error: str) -> bool:
    """Whether it is a tokenizer that raised."""
    symptoms = ignored_labels_decoded.symptoms.items()
    texts = [pattern for pattern, cure in symptoms if cure is DECODING]
    return any(re.search(pattern, error) for pattern in (*texts, *OTHER_TOKENIZERS))

from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import LabelShift

MOST = 0.98
"""
So many labels are the next token if they were shifted; it may be another where texts meet.

Of labels that are not shifted, about as many are the next token as tokens stand twice in a row.
"""

FEW = 16
"""Fewer labels tell nothing."""


@check("LLM022", Severity.ERROR, stage=Stage.DATA)
def labels_shifted_twice(labels: LabelShift) -> Iterator[Finding]:
    """
    The labels are those of the next token already, and the model shifts them once more.

    A model of transformers that predicts the next token is given the tokens themselves as labels:
    it compares its answer at each token with the label of the one behind. Labels that were shifted
    before make it learn the token after the next one. The loss falls nearly as usual, a little
    higher, and what is generated makes no sense. The labels are compared with the tokens of real
    batches, and the model's loss with both ways to compute it: a model that does not shift, or a
    loss of the trainer's own, is no fault.

    Fails:

        from transformers import GPT2Config, GPT2LMHeadModel

        model = GPT2LMHeadModel(
            GPT2Config(vocab_size=20, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0)
        )
        rows = [[(n * n + 3 * k * k) % 20 for k in range(12)] for n in range(16)]
        train_data = [{"input_ids": row[:-1], "labels": row[1:]} for row in rows]

    Passes:

        from transformers import GPT2Config, GPT2LMHeadModel

        model = GPT2LMHeadModel(
            GPT2Config(vocab_size=20, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0)
        )
        rows = [[(n * n + 3 * k * k) % 20 for k in range(12)] for n in range(16)]
        train_data = [{"input_ids": row, "labels": row} for row in rows]

    See also: <https://huggingface.co/docs/transformers/tasks/language_modeling>.
    """
    ahead = labels.following >= MOST * labels.labels > labels.same
    if labels.labels < FEW or not ahead or not labels.shifts:
        return
    share = labels.following / labels.labels
    yield Finding(
        message=f"{labels.following:,} of {labels.labels:,} labels ({share:.0%}) are the token behind "
        f"the one that they stand at, and {labels.same:,} that token itself; the model's loss shifts "
        "the labels by one more, so that it learns the token after the next one",
        where=labels.where,
        evidence={
            "labels": labels.labels,
            "following": labels.following,
            "same": labels.same,
            "shifts": labels.shifts,
        },
        remedy='give the tokens themselves as labels: batch["labels"] = batch["input_ids"].clone(), '
        "with -100 where nothing is to be learned",
    )

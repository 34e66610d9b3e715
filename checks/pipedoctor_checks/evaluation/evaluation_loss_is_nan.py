from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import isnan

from pipedoctor import Eval, Finding, Severity, Stage, Unavailable, check
from pipedoctor.facts import LabelTokens, Rehearsal, Settings
from pipedoctor.facts.arguments import version_key
from pipedoctor.finding import Location
from pipedoctor.units import count
from pipedoctor_checks.evaluation._best import best_metric

LEAVES_OUT, KEEPS = "5.23.0", "5.12.1"
"""
The first release known to leave batches without a loss out of the mean, and the last to keep them.

Which of those between them began is not known.
"""


@check("EVA009", Severity.WARNING, stage=Stage.EVALUATION)
def evaluation_loss_is_nan(
    settings: Settings, labels: Eval[LabelTokens] | None, rehearsal: Rehearsal | None
) -> Iterator[Finding]:
    """
    The loss of the evaluation is NaN, since whole batches of it have no label but -100.

    The loss of a batch is a mean over its labels, and -100 is left out; over none it is NaN. It
    takes one such batch to make `eval_loss` NaN, in releases that leave NaN out (or with
    `logging_nan_inf_filter`) all of them. Training goes on as if nothing had happened. But NaN is
    never better than anything: no best model is kept, and early stopping stops.

    Rows lose all labels when the text is cut before the answer begins, or when the marker of the
    answer is not found in it.

    Fails:

        from datasets import Dataset
        from transformers import BertConfig, BertForTokenClassification, DataCollatorForTokenClassification

        config = BertConfig(
            vocab_size=100,
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
        )
        model = BertForTokenClassification(config)
        eval_data = Dataset.from_dict({"input_ids": [[2, 5, 3]] * 16, "labels": [[-100] * 3] * 16})
        collator = DataCollatorForTokenClassification(None)
        settings = {"eval_strategy": "epoch"}
        environment = {"transformers": "5.23.0", "gpus": 0}

    Passes:

        from datasets import Dataset
        from transformers import BertConfig, BertForTokenClassification, DataCollatorForTokenClassification

        config = BertConfig(
            vocab_size=100,
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
        )
        model = BertForTokenClassification(config)
        eval_data = Dataset.from_dict({"input_ids": [[2, 5, 3]] * 16, "labels": [[-100, 1, -100]] * 16})
        collator = DataCollatorForTokenClassification(None)
        settings = {"eval_strategy": "epoch"}
        environment = {"transformers": "5.23.0", "gpus": 0}

    See also: <https://github.com/huggingface/trl/issues/1053>.
    """
    if settings.word(settings.eval_key) == "no":
        return
    if labels is None:
        if rehearsal is None:
            raise Unavailable("how many labels the evaluation rows have is not known")
        yield from _tried(settings, rehearsal)
        return
    empty, batches = labels.empty_batches, labels.batches
    if not empty or _defined(rehearsal):
        return
    if empty < batches and _leaves_out(settings):
        return
    yield _finding(
        settings,
        f"{count(labels.without)} of {count(labels.rows)} evaluation rows have no label, and "
        f"{count(empty)} of {count(batches)} batches none at all: "
        f"eval_loss is NaN{'' if empty == batches else ', for which one of them is enough'}",
        labels.where,
        labels.empty_rows[:3] or labels.empty,
        {
            "rows": labels.rows,
            "rows_without": labels.without,
            "batches": batches,
            "batches_without": empty,
        },
    )


def _tried(settings: Settings, rehearsal: Rehearsal) -> Iterator[Finding]:
    """Judge by the rows that were tried, if the loss of each of their batches is NaN."""
    losses = rehearsal.losses
    if not losses or not all(map(isnan, losses)) or any(rehearsal.label_counts):
        return
    rows = tuple(row for batch in rehearsal.batch_rows for row in batch)
    yield _finding(
        settings,
        f"None of the {len(rows)} evaluation rows that were tried has a label but -100, and the loss "
        "of each of their batches is NaN",
        Location(column="labels", split="eval"),
        rows[:3],
        {"rows_tried": len(rows), "batches_tried": len(losses)},
    )


def _defined(rehearsal: Rehearsal | None) -> bool:
    """Whether the model was seen to give a number where there is no label."""
    if rehearsal is None or len(rehearsal.losses) != len(rehearsal.label_counts):
        return False
    tried = zip(rehearsal.label_counts, rehearsal.losses, strict=True)
    return any(number == 0 and not isnan(loss) for number, loss in tried)


def _leaves_out(settings: Settings) -> bool:
    """Whether this release leaves NaN out of the mean over batches."""
    release = version_key(settings.arguments.version)
    if release <= version_key(KEEPS):
        return False
    if release < version_key(LEAVES_OUT):
        raise Unavailable("whether this release leaves batches without a loss out is not known")
    return bool(settings.logging_nan_inf_filter)


def _finding(
    settings: Settings,
    message: str,
    where: Location,
    rows: tuple[int, ...],
    evidence: dict[str, object],
) -> Finding:
    chosen = best_metric(settings) == "eval_loss"
    return Finding(
        message=message + (", and no best model will be found by it" if chosen else ""),
        where=replace(where, rows=rows),
        evidence=evidence,
        remedy="look at what these rows hold, and leave out rows without labels: "
        "eval_dataset = eval_dataset.filter(lambda row: any(x != -100 for x in row['labels']))",
        severity=Severity.ERROR if chosen else None,
    )

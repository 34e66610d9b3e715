from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pipedoctor import Finding, Severity, Stage, Train, check
from pipedoctor.facts import Fit, Head, Labels, Outputs
from pipedoctor.facts.labels import IGNORED
from pipedoctor.units import count
from pipedoctor_checks.data._splitting import part_of_all_classes
from pipedoctor_checks.keras._outputs import CROSS_ENTROPIES


@check("DAT019", Severity.ERROR, stage=Stage.DATA)
def all_rows_of_one_class(
    labels: Train[Labels],
    head: Head | None,
    outputs: Outputs | None = None,
    fit: Fit | None = None,
    *,
    least: int = 50,
) -> Iterator[Finding]:
    """
    All training rows have the same label: there is nothing to tell apart.

    A model learns to give that answer to everything, the loss falls to zero, and the accuracy on
    such data is 100 %. It happens where the first rows of a sorted file are taken
    (`select(range(n))`), or where the labels are read from the wrong column. Judged are data of at
    least `least` rows. Of a fit of Keras one-hot labels are judged as well.

    Fails:

        train_data = {"label": [1] * 200}

    Passes:

        train_data = {"label": [1] * 190 + [0] * 10}

    See also: <https://huggingface.co/docs/datasets/process#shuffle>.
    """
    if labels.partial or labels.per_token:
        return
    if labels.width is not None:
        rows = _in_one_column(outputs, least)
        if rows:
            yield Finding(
                message=f"All {count(rows)} training rows have their 1 in the same of "
                f"{labels.width} columns of labels: 1 class, and nothing to learn",
                where=replace(labels.where, split="train"),
                evidence={"classes": 1, "columns": labels.width, "rows": rows},
                remedy=part_of_all_classes(fit),
            )
        return
    if head is not None and (head.vocabulary or head.outputs < 2):
        return
    values = [value for value in labels.counts if value != IGNORED]
    if len(values) != 1 or labels.counts[values[0]] < least or labels.kind == "float":
        return
    rows = labels.counts[values[0]]
    yield Finding(
        message=f"All {count(rows)} training rows that have a label have the label {values[0]}: 1 "
        "class, and nothing to learn",
        where=replace(labels.where, split="train"),
        evidence={"label": values[0], "rows": rows},
        remedy=part_of_all_classes(fit),
    )


def _in_one_column(outputs: Outputs | None, least: int) -> int:
    """Return the number of rows if the labels are one-hot and all of one class, else 0."""
    if outputs is None or len(outputs.outputs) != 1:
        return 0
    loss, targets = outputs.outputs[0].loss, outputs.outputs[0].targets
    if loss is None or loss.name not in CROSS_ENTROPIES or targets is None:
        return 0
    alone = targets.one_hot and targets.complete and targets.classes == 1
    return targets.rows if alone and targets.rows >= least else 0

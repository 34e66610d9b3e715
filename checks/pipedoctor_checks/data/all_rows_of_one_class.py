from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pipedoctor import Finding, Severity, Stage, Train, check
from pipedoctor.facts import Head, Labels
from pipedoctor.facts.labels import IGNORED
from pipedoctor.units import count


@check("DAT019", Severity.ERROR, stage=Stage.DATA)
def all_rows_of_one_class(
    labels: Train[Labels], head: Head | None, *, least: int = 50
) -> Iterator[Finding]:
    """
    All training rows have the same label: there is nothing to tell apart.

    A model learns to give that answer to everything, the loss falls to zero, and the accuracy on
    such data is 100 %. It happens where the first rows of a sorted file are taken
    (`select(range(n))`), or where the labels are read from the wrong column. Judged are data of at
    least `least` rows.

    Fails:

        train_data = {"label": [1] * 200}

    Passes:

        train_data = {"label": [1] * 190 + [0] * 10}

    See also: <https://huggingface.co/docs/datasets/process#shuffle>.
    """
    if labels.partial or labels.per_token or labels.width is not None:
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
        remedy="take rows of all classes: data.shuffle(seed=42).select(range(n)) instead of "
        "data.select(range(n))",
    )

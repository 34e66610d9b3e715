from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pipedoctor import Eval, Finding, Severity, Stage, check
from pipedoctor.facts import Duplicates, Lengths
from pipedoctor.units import count
from pipedoctor_checks.data._cutting import cut_at, longer

NEARLY_ALL = 0.9
"""Where so many rows are seen in training, they are no evaluation that could be cleaned."""


@check("DAT011", Severity.WARNING, stage=Stage.DATA)
def evaluation_rows_seen_in_training(
    rows: Eval[Duplicates],
    lengths: Eval[Lengths] | None = None,
    *,
    share: float = 0.05,
    least: int = 100,
) -> Iterator[Finding]:
    """
    Rows of the evaluation stand in the training data too, so that its score is too good.

    A model that has learned rows by heart answers them right. The score then tells how well it
    remembers, and the best checkpoint is the one that remembers best. It happens where duplicates
    are not removed before the data are split, or where both splits are of one file.

    Rows are the same if their inputs are, value by value. Collections of real texts hold a few
    twice; it is told from `share` of the rows on, if the evaluation has at least `least` inputs
    that differ (a small set of made-up rows is no evaluation).

    Fails:

        from datasets import Dataset

        texts = [f"the text with the number {n}" for n in range(1000)]
        train_data = Dataset.from_dict({"text": texts, "label": [0, 1] * 500})
        eval_data = Dataset.from_dict({"text": texts[:200], "label": [0, 1] * 100})

    Passes:

        from datasets import Dataset

        texts = [f"the text with the number {n}" for n in range(1000)]
        train_data = Dataset.from_dict({"text": texts[:800], "label": [0, 1] * 400})
        eval_data = Dataset.from_dict({"text": texts[800:], "label": [0, 1] * 100})

    See also: <https://huggingface.co/datasets/lex_glue/discussions>.
    """
    if not rows.known("shared") or rows.distinct < least or rows.shared < share * rows.rows:
        return
    looked = "" if rows.of is None else f" that were drawn of {count(rows.of)}"
    within = (
        f"the {count(rows.train_rows)} training rows"
        if rows.train_of is None
        else f"{count(rows.train_rows)} of the {count(rows.train_of)} training rows"
    )
    cut = cut_at(rows, lengths)
    remedy = (
        "remove duplicates before the split: seen = set(train_data["
        f"{rows.columns[0]!r}]); eval_data = eval_data.filter(lambda row: row[{rows.columns[0]!r}] "
        "not in seen)"
        if rows.columns[0] != "input_ids"
        else "remove duplicates before the split: seen = set(map(tuple, train_data['input_ids'])); "
        "eval_data = eval_data.filter(lambda row: tuple(row['input_ids']) not in seen)"
    )
    if rows.shared >= NEARLY_ALL * rows.rows:
        remedy = (
            "evaluate on other rows: nothing would be left of these; hold some back, with "
            "train_data.train_test_split(test_size=0.1, seed=42)"
        )
    yield Finding(
        message=f"{count(rows.shared)} of {count(rows.rows)} evaluation rows{looked} "
        f"({rows.shared / rows.rows:.0%}) are among {within} too ({', '.join(rows.columns)} is equal){cut}",
        where=replace(rows.where, split="eval", rows=tuple(row for row, _ in rows.shared_pairs)),
        evidence={
            "rows": rows.rows,
            "shared": rows.shared,
            "train_rows": rows.train_rows,
            "pairs": [list(pair) for pair in rows.shared_pairs],
            "columns": list(rows.columns),
        },
        remedy=longer(lengths) if cut else remedy,
        alternatives=(remedy,) if cut else (),
        shows=tuple(
            f"evaluation row {row} is training row {twin}: {rows.texts.get(row, '')!r}".removesuffix(
                ": ''"
            )
            for row, twin in rows.shared_pairs
        ),
    )

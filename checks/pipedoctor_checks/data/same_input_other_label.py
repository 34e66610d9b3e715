from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pipedoctor import Finding, Severity, Stage, Train, check
from pipedoctor.facts import Duplicates, Head, Lengths
from pipedoctor.units import count
from pipedoctor_checks.data._cutting import cut_at, longer


@check("DAT033", Severity.WARNING, stage=Stage.DATA)
def same_input_other_label(
    rows: Train[Duplicates],
    head: Head | None,
    lengths: Train[Lengths] | None = None,
    *,
    share: float = 0.02,
    least: int = 100,
) -> Iterator[Finding]:
    """
    The same input occurs with several labels, so that no model can answer all rows right.

    Whatever it answers, it is wrong for some of them; the loss has a floor above zero, and the
    accuracy a ceiling below one. It tells of annotators who disagree, of texts that were cut until
    they were equal, or of a column that is missing from the input. It is told if at least `share`
    of the rows must be wrong, and there are at least `least` inputs that differ.

    Fails:

        from datasets import Dataset

        texts = [f"the text with the number {n % 150}" for n in range(300)]
        train_data = Dataset.from_dict({"text": texts, "label": [0] * 150 + [0, 1, 1] * 50})

    Passes:

        from datasets import Dataset

        texts = [f"the text with the number {n}" for n in range(300)]
        train_data = Dataset.from_dict({"text": texts, "label": [0] * 150 + [0, 1, 1] * 50})

    See also: <https://cleanlab.ai/blog/label-errors-text-datasets/>.
    """
    if not rows.known("unlearnable") or rows.unlearnable < share * rows.rows:
        return
    if rows.distinct < least or (head is not None and head.outputs == 1):
        return
    looked = "" if rows.of is None else f" that were drawn of {count(rows.of)}"
    cut = cut_at(rows, lengths)
    remedy = "look at these rows: give the model what tells them apart, or keep one label for each input"
    yield Finding(
        message=f"{count(rows.contradicting)} of {count(rows.rows)} rows{looked} have an input that "
        f"occurs with several labels ({', '.join(rows.columns)} is equal); "
        f"{count(rows.unlearnable)} of them ({rows.unlearnable / rows.rows:.1%}) must be wrong, so "
        f"no model has an accuracy above {1 - rows.unlearnable / rows.rows:.1%} here{cut}",
        where=replace(
            rows.where, split="train", rows=tuple(r for pair in rows.pairs for r in pair)[:4]
        ),
        evidence={
            "rows": rows.rows,
            "contradicting": rows.contradicting,
            "unlearnable": rows.unlearnable,
            "pairs": [list(pair) for pair in rows.pairs],
        },
        remedy=longer(lengths) if cut else remedy,
        alternatives=(remedy,) if cut else (),
        shows=tuple(
            f"rows {pair[0]} and {pair[1]} have the labels {told[0]} and {told[1]}: "
            f"{rows.texts.get(pair[0], '')!r}".removesuffix(": ''")
            for pair, told in zip(rows.pairs, rows.pair_labels, strict=True)
        ),
    )

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pipedoctor import Finding, Severity, Split, Stage, Train, check
from pipedoctor.facts import BlindRows, Those, TokenRows
from pipedoctor.units import count, plural

MOST = 0.5
"""Where more rows than this are blind, the fault is in how they were made, not in single rows."""


@check("DAT035", Severity.NOTE, stage=Stage.DATA, explains=("NUM007", "NUM020", "LOS001"))
def rows_without_a_token(
    data: TokenRows, train: Train[TokenRows] | None, run: BlindRows | None, *, many: float = 0.01
) -> Iterator[Finding]:
    """
    Some rows have no token that the model may look at: none at all, or a mask that opens none.

    They come of empty texts, or of a mask that was computed wrongly. The model answers such a row
    by its biases alone, and learns its label all the same. All rows are looked at, and the first
    of those found are run: it is an error if their loss is not finite, since the first step with
    one of them then makes every weight NaN, however late it comes. It is a warning from `many` of
    the rows on, else a note.

    Fails:

        from datasets import Dataset
        from transformers import BertConfig, BertForSequenceClassification

        model = BertForSequenceClassification(
            BertConfig(
                vocab_size=50, hidden_size=8, num_hidden_layers=1, num_attention_heads=1,
                intermediate_size=8,
            )
        )
        rows = [
            {"input_ids": [2, 7, 8, 3], "attention_mask": [1, 1, 1, 1], "labels": n % 2}
            for n in range(480)
        ]
        rows[30]["attention_mask"] = [0, 0, 0, 0]
        train_data = Dataset.from_list(rows)

    Passes:

        from datasets import Dataset
        from transformers import BertConfig, BertForSequenceClassification

        model = BertForSequenceClassification(
            BertConfig(
                vocab_size=50, hidden_size=8, num_hidden_layers=1, num_attention_heads=1,
                intermediate_size=8,
            )
        )
        rows = [
            {"input_ids": [2, 7, 8, 3], "attention_mask": [1, 1, 1, 1], "labels": n % 2}
            for n in range(480)
        ]
        train_data = Dataset.from_list(rows)

    See also: <https://huggingface.co/docs/transformers/glossary#attention-mask>.
    """
    masked = data.masked if data.known("masked") else Those()
    blind = data.empty.count + masked.count
    if not blind:
        return
    split = Split.TRAIN if data is train else Split.EVAL
    rows = tuple(sorted({*data.empty.rows, *masked.rows}))[:3]
    kinds = []
    if data.empty.count:
        kinds.append(f"{count(data.empty.count)} without any token")
    if masked.count:
        kinds.append(f"{count(masked.count)} with an attention mask of zeros")
    verb = "has" if blind == 1 else "have"
    message = (
        f"{count(blind)} of {plural(data.rows, 'row')}"
        f"{'' if data.of is None else f' that were read of {count(data.of)}'} {verb} nothing to "
        f"look at: {' and '.join(kinds)}"
    )
    evidence: dict[str, object] = {
        "of": data.rows,
        "rows": list(rows),
        "empty": data.empty.count,
        "masked": masked.count,
    }
    severity = Severity.WARNING if blind >= many * data.rows else None
    if blind == data.rows:
        severity = Severity.ERROR
    if split is Split.TRAIN and run is not None and run.rows and run.known("loss"):
        evidence["loss"] = run.loss
        if not abs(run.loss) < float("inf"):
            severity = Severity.ERROR
            message += f"; the loss of a batch with them is {run.loss}, which spoils every weight"
    column = "attention_mask" if masked.count else "input_ids"
    yield Finding(
        message=message,
        where=replace(data.where, split=split.value, column=column, rows=rows),
        evidence=evidence,
        remedy=_remedy(data.empty.count, masked.count, data.rows),
        severity=severity,
    )


def _remedy(empty: int, masked: int, rows: int) -> str:
    """Return what cures these rows; to leave them out is no cure where hardly any other is left."""
    if empty + masked > MOST * rows:
        return (
            "tokenise the texts anew, and keep the attention_mask that the tokenizer returns"
            if masked >= empty
            else "look at what the tokenizer was given: the column of texts is empty, or another one"
        )
    if masked:
        return "leave these rows out: dataset.filter(lambda row: any(row['attention_mask']))"
    return "leave these rows out: dataset.filter(lambda row: len(row['input_ids']) > 0)"

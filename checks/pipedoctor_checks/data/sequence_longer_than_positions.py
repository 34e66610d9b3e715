from collections.abc import Iterator
from dataclasses import replace

from pipedoctor import Finding, Location, Severity, Split, Stage, Train, check
from pipedoctor.facts import Batch, Model, Settings


@check(
    "DAT008",
    Severity.ERROR,
    stage=Stage.BATCH,
    symptoms={
        r"The expanded size of the tensor \(\d+\) must match the existing size \(\d+\) at "
        r"non-singleton dimension 1": "cut the rows when they are tokenised: truncation=True",
        # The numbers of positions that encoders have: other sizes that differ are other faults.
        r"size of tensor a \(\d+\) must match the size of tensor b \((512|514|1024|2048|4096)\) at "
        r"non-singleton dimension 1": "cut the rows when they are tokenised: truncation=True",
        r"index \d+ is out of bounds for dimension 1 with size \d+": (
            "cut the rows when they are tokenised: truncation=True"
        ),
    },
    explains=("DAT007", "NUM001"),
)
def sequence_longer_than_positions(
    batch: Batch, train: Train[Batch] | None, model: Model, settings: Settings | None
) -> Iterator[Finding]:
    """
    A batch is longer than the model has positions for.

    Models that learn an embedding for each position, as BERT does, have nothing for the token
    after the last one; training stops at the first batch that is too long, which may be hours
    away. The warning of the tokenizer, "sequence length is longer than the specified maximum",
    is no proof of it: it comes before the text is cut. So the two longest rows are looked at as
    they reach the model. Models with rotary or relative positions have no such limit.

    Fails:

        from transformers import BertConfig, BertForSequenceClassification

        model = BertForSequenceClassification(
            BertConfig(
                vocab_size=100,
                hidden_size=16,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=16,
                max_position_embeddings=32,
            )
        )
        train_data = [{"input_ids": [5] * 33, "label": row % 2} for row in range(16)]

    Passes:

        from transformers import BertConfig, BertForSequenceClassification

        model = BertForSequenceClassification(
            BertConfig(
                vocab_size=100,
                hidden_size=16,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=16,
                max_position_embeddings=32,
            )
        )
        train_data = [{"input_ids": [5] * 32, "label": row % 2} for row in range(16)]

    See also: <https://github.com/huggingface/transformers/issues/2446>.
    """
    limit = model.positions
    table = _table(model)
    if limit is None or table is None or table < limit:
        return  # positions are computed, not looked up: nothing fails beyond the stated number
    # RoBERTa and its kin keep some rows of the table for padding, and give padding no position.
    counts_padding = table == limit
    length = batch.length if counts_padding or not batch.known("unpadded") else batch.unpadded
    if length <= limit:
        return
    split = Split.TRAIN if batch is train else Split.EVAL
    rows = (batch.longest_row,) if batch.known("longest_row") else ()
    unpadded = batch.known("unpadded") and batch.unpadded <= limit
    what = f"is padded to {length:,} tokens" if unpadded else f"has {length:,} tokens"
    yield Finding(
        message=f"{f'Row {rows[0]:,}' if rows else 'A row'} {what}, and {model.name} has "
        f"positions for {limit:,}",
        where=replace(
            _place(settings),
            column="input_ids",
            layer="position embedding",
            split=split.value,
            rows=rows,
        ),
        evidence={"length": length, "positions": limit, "rows_seen": batch.rows},
        remedy=_remedy(settings, limit),
    )


def _table(model: Model) -> int | None:
    """Return the rows of the table that positions are looked up in, if there is one."""
    return next(
        (
            parameter.shape[0]
            for name, parameter in model.parameters.items()
            if len(parameter.shape) == 2 and _looked_up(name)
        ),
        None,
    )


def _looked_up(name: str) -> bool:
    return ("position" in name and "relative" not in name) or ".wpe." in name


def _place(settings: Settings | None) -> Location:
    if settings is not None and "max_seq_length" in settings.stated:
        return settings.where("max_seq_length")
    return Location()


def _remedy(settings: Settings | None, limit: int) -> str:
    if settings is not None and "max_seq_length" in {*settings.stated, *settings.script_keys}:
        return f"set {settings.entry('max_seq_length', limit)}"
    return f"tokenizer(..., truncation=True, max_length={limit})"

from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Split, Stage, Train, Unavailable, check
from pipedoctor.facts import Batch, Model, Tokenizer, TokenRows
from pipedoctor.facts.labels import listed
from pipedoctor_checks.data._texts import tokens_without_rows

RESIZE = "model.resize_token_embeddings(len(tokenizer)), before the training starts"


@check(
    "DAT007",
    Severity.ERROR,
    stage=Stage.BATCH,
    symptoms={
        r"index out of range in self": (
            "compare the largest id of the batch with the rows of the embedding: "
            "model.resize_token_embeddings(len(tokenizer)) if tokens were added; and the longest "
            "row with the model's positions: truncation=True in the tokenizer's call if it is longer"
        ),
    },
    explains=("NUM001",),
    in_text=tokens_without_rows,
)
def token_id_beyond_embedding(
    model: Model,
    batch: Batch | None,
    train: Train[Batch] | None,
    tokenizer: Tokenizer | None,
    data: TokenRows | None,
) -> Iterator[Finding]:
    """
    A token id has no row in the model's embedding.

    Tokens were added to the tokenizer and the embedding was not made larger, or the tokenizer
    belongs to another model. On a CPU the look-up raises "index out of range in self"; on a GPU
    it is a device-side assert that may name any later line. All rows that are stored with their
    ids are looked at. Where only the tokenizer goes beyond the embedding, and no row seen holds
    such an id, the training fails at the first row that does; that is reported as a warning. An
    embedding larger than the tokenizer is fine: many models round it up.

    Fails:

        from transformers import BertConfig, BertForSequenceClassification

        model = BertForSequenceClassification(
            BertConfig(
                vocab_size=100,
                hidden_size=16,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=16,
            )
        )
        train_data = [{"input_ids": [2, 99 + row % 2, 3], "label": row % 2} for row in range(16)]

    Passes:

        from transformers import BertConfig, BertForSequenceClassification

        model = BertForSequenceClassification(
            BertConfig(
                vocab_size=100,
                hidden_size=16,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=16,
            )
        )
        model.resize_token_embeddings(101)
        train_data = [{"input_ids": [2, 99 + row % 2, 3], "label": row % 2} for row in range(16)]

    See also: <https://github.com/huggingface/transformers/issues/12763>.
    """
    size = model.embedding_rows
    if batch is None and tokenizer is None and data is None:
        raise Unavailable("neither a batch nor the tokenizer is known")
    split = Split.TRAIN if batch is train else Split.EVAL
    extremes = []
    if batch is not None:
        extremes = [getattr(batch, name) for name in ("max_id", "min_id") if batch.known(name)]
    wrong = [value for value in extremes if value >= size or value < 0]
    if batch is not None and wrong:
        rows = batch.ids_rows.get(wrong[0], ())
        found = f" (rows {listed(rows[:3])})" if rows else ""
        yield Finding(
            message=f"The batch holds the token id {wrong[0]:,}{found}, and the embedding has "
            f"{size:,} rows, for the ids 0 to {size - 1:,}",
            where=Location(
                column="input_ids", layer="token embedding", split=split.value, rows=tuple(rows)
            ),
            evidence={"ids": wrong, "embedding_rows": size, **_sizes(tokenizer)},
            remedy=_remedy(wrong[0], size, tokenizer),
        )
    elif data is not None and (late := _beyond(data, size)) is not None:
        value, rows = late
        yield Finding(
            message=f"The {data.where.split} data holds the token id {value:,} (row "
            f"{listed(rows[:1])} of {data.rows:,}), and the embedding has {size:,} rows, for the "
            f"ids 0 to {size - 1:,}: the step that meets this row fails",
            where=Location(
                column="input_ids", layer="token embedding", split=data.where.split, rows=rows
            ),
            evidence={"ids": [value], "embedding_rows": size, **_sizes(tokenizer)},
            remedy=_remedy(value, size, tokenizer),
        )
    elif tokenizer is not None and _largest(tokenizer) >= size and split is Split.TRAIN:
        yield Finding(
            message=f"The tokenizer {tokenizer.name} makes ids up to {_largest(tokenizer):,}, and "
            f"the embedding has {size:,} rows; the rows seen hold none beyond it",
            where=Location(column="input_ids", layer="token embedding"),
            evidence={"embedding_rows": size, **_sizes(tokenizer)},
            remedy=RESIZE,
            alternatives=(f"load the tokenizer that belongs to {model.name}",),
            severity=Severity.WARNING,
        )


def _beyond(data: TokenRows, size: int) -> tuple[int, tuple[int, ...]] | None:
    """Return an id that has no row, and the rows of the data that hold it; None if all have one."""
    for name in ("most", "least"):
        if data.known(name):
            value = getattr(data, name)
            if value >= size or value < 0:
                return value, tuple(data.holders.get(value, ()))
    return None


def _largest(tokenizer: Tokenizer) -> int:
    return tokenizer.max_id if tokenizer.known("max_id") else tokenizer.size - 1


def _sizes(tokenizer: Tokenizer | None) -> dict[str, object]:
    return {} if tokenizer is None else {"tokenizer_size": tokenizer.size}


def _remedy(value: int, size: int, tokenizer: Tokenizer | None) -> str:
    if value < 0:
        return f"give these tokens an id from 0 to {size - 1:,}; {value} is no id (is it a label?)"
    if tokenizer is not None and _largest(tokenizer) < value:
        return (
            f"the tokenizer {tokenizer.name} makes no id above {_largest(tokenizer):,}: tokenise "
            "the data anew with it (load_from_cache_file=False)"
        )
    return RESIZE

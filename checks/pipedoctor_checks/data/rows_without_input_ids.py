from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Split, Stage, Train, Unavailable, check
from pipedoctor.facts import Batch, Collator, Model, Samples
from pipedoctor.facts.columns import is_input
from pipedoctor.facts.labels import listed

INPUTS = ("input_ids", "inputs_embeds")

TOKENISE = (
    "look at the columns that reach the collator: tokenise the text, and set "
    "remove_unused_columns=False if the model's forward hides the names of its arguments"
)


@check(
    "DAT005",
    Severity.ERROR,
    stage=Stage.COLLATOR,
    symptoms={
        r"You should supply an encoding or a list of encodings to this method": TOKENISE,
        r"vars\(\) argument must have __dict__ attribute": (
            'return a dict for each row from __getitem__, such as {"input_ids": ids, "labels": '
            "label}; or give the Trainer a data_collator of your own for these tuples"
        ),
        r"You (must|have to) specify (exactly one of|either) input_ids or inputs_embeds": TOKENISE,
    },
)
def rows_without_input_ids(
    samples: Samples,
    train: Train[Samples] | None,
    model: Model,
    collator: Collator | None,
    batch: Batch | None,
) -> Iterator[Finding]:
    """
    The collator gets rows that have no `input_ids`, which the model can't do without.

    Either no row has them, since the columns were lost on the way, for instance because a wrapped
    model hides what its forward takes; or some rows lack them, for instance because the text
    was empty or the tokenisation of a part failed. The error comes from the collator or the
    model, in the first batch with such a row.

    Fails:

        from transformers import BertConfig, BertForSequenceClassification
        from transformers import default_data_collator as collator

        model = BertForSequenceClassification(
            BertConfig(
                vocab_size=100,
                hidden_size=16,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=16,
            )
        )
        train_data = [{"tokens": [2, 5, 3], "label": row % 2} for row in range(16)]

    Passes:

        from transformers import BertConfig, BertForSequenceClassification
        from transformers import default_data_collator as collator

        model = BertForSequenceClassification(
            BertConfig(
                vocab_size=100,
                hidden_size=16,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=16,
            )
        )
        train_data = [{"input_ids": [2, 5, 3], "label": row % 2} for row in range(16)]

    See also: <https://github.com/huggingface/datasets/issues/5765>.
    """
    if "input_ids" not in model.accepts or not samples.rows:
        return
    if batch is not None and any(name in batch.arrays for name in INPUTS):
        return
    held = [name for name in samples.columns if name in model.accepts and is_input(name)]
    lacking = samples.missing.get(held[0], ()) if held else samples.rows
    if not lacking:
        return
    if batch is None and (collator is None or not collator.known("pads")):
        raise Unavailable("whether the collator makes input_ids of the rows is not known")
    split = Split.TRAIN if samples is train else Split.EVAL
    if held:
        found = f"{held[0]} is missing in rows {listed(lacking)}"
    else:
        found = f"the rows hold {', '.join(samples.columns) or 'nothing'}, and no input_ids"
    yield Finding(
        message=f"Of {len(samples.rows)} rows that go to the collator, {len(lacking)} can't be "
        f"used: {found}",
        where=Location(column=held[0] if held else None, split=split.value, rows=tuple(lacking)),
        evidence={
            "columns": list(samples.columns),
            "rows": list(samples.rows),
            "lacking": list(lacking),
        },
        remedy=_remedy(held, samples, f"{split.value}_data"),
    )


def _remedy(held: list[str], samples: Samples, name: str) -> str:
    if held:
        return f'{name} = {name}.filter(lambda row: row["{held[0]}"] is not None)'
    lists = [column for column in samples.lengths if is_input(column)]
    if lists:
        return f'{name} = {name}.rename_column("{lists[0]}", "input_ids"), if it holds token ids'
    return (
        f'{name} = {name}.map(lambda rows: tokenizer(rows["text"], truncation=True), '
        "batched=True); if the rows have input_ids before Trainer gets them, set "
        "remove_unused_columns=False"
    )

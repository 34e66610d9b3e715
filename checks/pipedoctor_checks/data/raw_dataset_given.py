from collections.abc import Iterator
from dataclasses import replace

from pipedoctor import Finding, Severity, Split, Stage, Train, Unavailable, check
from pipedoctor.facts import Batch, Collator, Columns
from pipedoctor_checks.data._texts import raw_data_beside_tokenised

TOKENISED = frozenset({"input_ids", "inputs_embeds"})


@check(
    "DAT001",
    Severity.ERROR,
    stage=Stage.DATA,
    explains=("DAT002", "DAT005", "LAB002"),
    in_text=raw_data_beside_tokenised,
)
def raw_dataset_given(
    columns: Columns,
    train: Train[Columns] | None,
    collator: Collator | None,
    batch: Batch | None,
) -> Iterator[Finding]:
    """
    The data still hold text: the model needs token ids, and no column has them.

    `map` returns a new data set and leaves the old one as it was, so the raw one is easily handed
    to Trainer instead of its tokenised copy. Trainer then drops the text, since the model's
    forward takes no such argument, and the first batch holds labels at most. The error speaks of
    `input_ids` or of an empty data set, and never of the text. A collator that makes token ids of
    text needs `remove_unused_columns=False`, or it never gets to see the text.

    Fails:

        from datasets import Dataset
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
        train_data = Dataset.from_dict({"text": ["a good film", "a bad one"], "label": [1, 0]})

    Passes:

        from datasets import Dataset
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
        train_data = Dataset.from_dict(
            {
                "text": ["a good film", "a bad one"],
                "input_ids": [[2, 7, 9, 11, 3], [2, 7, 8, 12, 3]],
                "label": [1, 0],
            }
        )

    See also: <https://huggingface.co/learn/llm-course/chapter8/4>.
    """
    raw = [name for name in columns.texts if name not in columns.accepted]
    given = [name for name in columns.inputs if name in columns.accepted]
    if "input_ids" not in columns.accepted or given or not raw or columns.numbered:
        return  # lists of integers are token ids by another name: no-column-matches-the-model
    if batch is not None and not TOKENISED.isdisjoint(batch.arrays):
        return  # a transform or the collator tokenises the text
    if columns.transform is not None and batch is None:
        raise Unavailable(f"what {columns.transform} makes of the columns is not known")
    if not columns.filtered and batch is None and _may_tokenise(collator):
        raise Unavailable("whether the collator makes token ids of the text is not known")
    split = Split.TRAIN if columns is train else Split.EVAL
    name = f"{split.value}_data"
    left = ", ".join(columns.kept) or "nothing"
    kept = f"; Trainer drops {', '.join(raw)}, and {left} is left" if columns.filtered else ""
    yield Finding(
        message=f"The {split.value} data has the columns {', '.join(columns.types)}, and no "
        f"input_ids: the text was not tokenised{kept}",
        where=replace(columns.where, split=split.value, column=raw[0]),
        evidence={
            "columns": dict(columns.types),
            "text": raw,
            "kept": list(columns.kept),
            "filtered": columns.filtered,
        },
        remedy=f'{name} = {name}.map(lambda rows: tokenizer(rows["{raw[0]}"], truncation=True), '
        "batched=True), and give Trainer what it returns",
        alternatives=("remove_unused_columns=False, if your collator tokenises the text",)
        if columns.filtered
        else (),
    )


def _may_tokenise(collator: Collator | None) -> bool:
    return collator is None or not collator.known("pads")

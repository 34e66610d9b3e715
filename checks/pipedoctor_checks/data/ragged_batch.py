from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Split, Stage, Train, check
from pipedoctor.facts import Collator, Samples, Settings

LABELS = frozenset({"label", "labels", "label_ids"})
INPUTS = frozenset({"input_ids", "attention_mask", "token_type_ids", "special_tokens_mask"})

PAD = "pad in the collator: data_collator=DataCollatorWithPadding(tokenizer)"


@check(
    "DAT004",
    Severity.ERROR,
    stage=Stage.COLLATOR,
    symptoms={
        r"expected sequence of length \d+ at dim \d+ \(got \d+\)": PAD,
        r"Unable to create tensor, you should probably activate truncation": (
            "drop the column that the message names if the model does not take it, or pad it"
        ),
        r"stack expects each tensor to be equal size": PAD,
        r"all input arrays must have the same shape": PAD,
    },
)
def ragged_batch(
    samples: Samples, train: Train[Samples] | None, collator: Collator, settings: Settings | None
) -> Iterator[Finding]:
    """
    Rows of different lengths meet in a batch, and the collator does not bring them to one length.

    A batch is a rectangle. `DataCollatorWithPadding` fills up what the tokenizer made, but not
    labels for each token, and not columns of your own; the default collator fills up nothing.
    Training stops at the first batch that mixes lengths, with an error that names no column, or
    one that is not to blame.

    Fails:

        from datasets import Dataset
        from transformers import default_data_collator as collator

        train_data = Dataset.from_dict(
            {"input_ids": [[2, 5, 3], [2, 5, 6, 7, 3]], "label": [0, 1]}
        )

    Fails:

        from datasets import Dataset
        from tokenizers import Tokenizer
        from tokenizers.models import WordLevel
        from transformers import DataCollatorWithPadding, PreTrainedTokenizerFast

        words = Tokenizer(WordLevel({"[PAD]": 0, "[UNK]": 1, "Anna": 2, "sings": 3}, "[UNK]"))
        tokenizer = PreTrainedTokenizerFast(
            tokenizer_object=words, pad_token="[PAD]", unk_token="[UNK]"
        )
        collator = DataCollatorWithPadding(tokenizer)
        train_data = Dataset.from_dict({"input_ids": [[2, 3], [2]], "labels": [[1, 0], [1]]})

    Passes:

        from datasets import Dataset
        from tokenizers import Tokenizer
        from tokenizers.models import WordLevel
        from transformers import DataCollatorForTokenClassification, PreTrainedTokenizerFast

        words = Tokenizer(WordLevel({"[PAD]": 0, "[UNK]": 1, "Anna": 2, "sings": 3}, "[UNK]"))
        tokenizer = PreTrainedTokenizerFast(
            tokenizer_object=words, pad_token="[PAD]", unk_token="[UNK]"
        )
        collator = DataCollatorForTokenClassification(tokenizer)
        train_data = Dataset.from_dict({"input_ids": [[2, 3], [2]], "labels": [[1, 0], [1]]})

    See also: <https://huggingface.co/docs/transformers/main_classes/data_collator>.
    """
    split = Split.TRAIN if samples is train else Split.EVAL
    if settings is not None and settings.get(f"per_device_{split.value}_batch_size") == 1:
        return  # a batch of one row is never ragged
    ragged = {
        column: unequal
        for column in samples.lengths
        if (unequal := _unequal(samples, column)) and not _padded(column, collator)
    }
    if not ragged:
        return
    column = next((name for name in ragged if name in INPUTS), next(iter(ragged)))
    lengths = dict(ragged[column])
    rows = (_first(lengths, min(lengths.values())), _first(lengths, max(lengths.values())))
    shortest, longest = lengths[rows[0]], lengths[rows[1]]
    others = [name for name in ragged if name != column]
    also = f" (so do those of {', '.join(others)})" if others else ""
    yield Finding(
        message=f"The lengths of {column} differ{also}: {shortest:,} in row {rows[0]:,}, "
        f"{longest:,} in row {rows[1]:,}; {collator.name} does not pad "
        f"{'them' if others else column}",
        where=Location(column=column, split=split.value, rows=rows),
        evidence={
            "collator": collator.name,
            "rows": list(samples.rows),
            "lengths": {name: list(samples.lengths[name]) for name in ragged},
        },
        remedy=_remedy(set(ragged), samples, f"{split.value}_data"),
        alternatives=_alternatives(set(ragged)),
    )


def _unequal(samples: Samples, column: str) -> list[tuple[int, int]]:
    """Return rows and lengths of the first rows that meet in a batch and differ, if any do."""
    groups = samples.groups(column)
    return next((g for g in groups if len({length for _, length in g}) > 1), [])


def _first(lengths: dict[int, int], length: int) -> int:
    return min(row for row, found in lengths.items() if found == length)


def _padded(column: str, collator: Collator) -> bool:
    if column in LABELS:
        return not LABELS.isdisjoint(collator.pads)
    return column in collator.pads


def _remedy(ragged: set[str], samples: Samples, name: str) -> str:
    labels = ragged & LABELS
    if strange := sorted(ragged - LABELS - INPUTS):
        dropped = ", ".join(f'"{column}"' for column in strange)
        first = f"{name} = {name}.remove_columns([{dropped}]), if the model does not need "
        return first + ("it" if len(strange) == 1 else "them")
    if not labels:
        return PAD
    lengths = samples.lengths
    if all(lengths[column] == lengths.get("input_ids") for column in labels):
        return "data_collator=DataCollatorForTokenClassification(tokenizer), which pads the labels too"
    return (
        "data_collator=DataCollatorForSeq2Seq(tokenizer, model=model), which pads the labels too"
    )


def _alternatives(ragged: set[str]) -> tuple[str, ...]:
    if ragged <= INPUTS:
        fixed = 'tokenizer(..., truncation=True, padding="max_length", max_length=128)'
        return (f"one length for all rows, when they are tokenised: {fixed}",)
    return ()

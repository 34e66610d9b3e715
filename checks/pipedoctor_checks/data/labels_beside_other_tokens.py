from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pipedoctor import Finding, Severity, Split, Stage, Train, check
from pipedoctor.facts import Head, TokenRows
from pipedoctor.facts.labels import IGNORED
from pipedoctor.units import count, plural

ALIGN = (
    "give each token the label of its word, and -100 to the others: tokenised = tokenizer(words, "
    "is_split_into_words=True); labels = [-100 if word is None else word_labels[word] for word in "
    "tokenised.word_ids()]"
)

COLUMN = "labels"


@check("DAT013", Severity.ERROR, stage=Stage.DATA, explains=("LOS001",))
def labels_beside_other_tokens(
    data: TokenRows,
    train: Train[TokenRows] | None,
    head: Head,
    *,
    share: float = 0.05,
    least: int = 20,
) -> Iterator[Finding]:
    """
    The labels stand beside other tokens than their own, as where a word is cut into pieces.

    A data set has a label for each word, and the tokenizer makes several tokens of a word, and
    puts one before the first. Where the labels are not spread over the tokens, there are fewer of
    them than tokens. `DataCollatorForTokenClassification` fills them up with -100, so that nothing
    fails: the model learns the labels of other words, and the score stays low.

    Where there are as many of them, and all rows begin with the same token, that token can have
    one label only; if it has several, each in `share` of at least `least` rows, then the labels
    stand one token too early. That is a warning.

    Fails:

        from datasets import Dataset
        from transformers import BertConfig, BertForTokenClassification

        model = BertForTokenClassification(
            BertConfig(
                vocab_size=50, hidden_size=8, num_hidden_layers=1, num_attention_heads=1,
                intermediate_size=8, num_labels=3,
            )
        )
        words = {"input_ids": [2, 7, 8, 9, 3], "labels": [0, 1, 2]}
        train_data = Dataset.from_list([words] * 32)

    Passes:

        from datasets import Dataset
        from transformers import BertConfig, BertForTokenClassification

        model = BertForTokenClassification(
            BertConfig(
                vocab_size=50, hidden_size=8, num_hidden_layers=1, num_attention_heads=1,
                intermediate_size=8, num_labels=3,
            )
        )
        words = {"input_ids": [2, 7, 8, 9, 3], "labels": [-100, 0, 1, 2, -100]}
        train_data = Dataset.from_list([words] * 32)

    See also: <https://huggingface.co/docs/transformers/tasks/token_classification>.
    """
    if not head.per_token or head.vocabulary:
        return
    split = Split.TRAIN if data is train else Split.EVAL
    where = replace(data.where, split=split.value, column=COLUMN)
    apart = data.apart.get(COLUMN)
    if apart is not None:
        row, tokens, labels = data.lengths[COLUMN]
        yield Finding(
            message=f"{count(apart.count)} of {plural(data.rows, 'row')} have another number of "
            f"labels than of tokens: row {row} has {plural(labels, 'label')} for "
            f"{plural(tokens, 'token')}",
            where=replace(where, rows=apart.rows),
            evidence={"rows": apart.count, "of": data.rows, "tokens": tokens, "labels": labels},
            remedy=ALIGN,
        )
        return
    if not data.known("first") or data.rows < least:
        return
    seen = {label: number for label, number in data.first.items() if label != IGNORED}
    usual = [label for label, number in seen.items() if number >= share * data.rows]
    if len(usual) < 2:
        return
    told = ", ".join(f"{label} ({count(seen[label])} rows)" for label in sorted(usual)[:4])
    yield Finding(
        message=f"All {plural(data.rows, 'row')} begin with the same token, and it has "
        f"{len(usual)} different labels: {told}; the labels seem to stand one token too early",
        where=where,
        evidence={"labels": {str(label): number for label, number in seen.items()}},
        remedy=ALIGN,
        severity=Severity.WARNING,
    )

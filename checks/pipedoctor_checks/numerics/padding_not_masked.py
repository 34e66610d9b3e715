from collections.abc import Iterator, Mapping

from pipedoctor import Finding, Location, Severity, Stage, check
from pipedoctor.facts import Masked, Masks, Model
from pipedoctor.units import count

ENOUGH = 4
"""So many pad ids in a row are no tokens that happen to have that id."""


@check("NUM008", Severity.WARNING, stage=Stage.COLLATOR)
def padding_not_masked(masks: Masks, model: Model, *, run: int = ENOUGH) -> Iterator[Finding]:
    """
    Rows are filled up with padding, and the attention mask is 1 there.

    The model attends to padding as to any token: what it answers to a row depends on how long the
    other rows of its batch are. It comes of a mask that is computed from the wrong id
    (`tokenizer.pad_token_id or tokenizer.eos_token_id` takes the other one where the first is 0),
    or that is made of ones. Padding is told by the pad id at the end of a row, `run` times at
    least, in a batch in which other rows have less of it. A decoder never looks at what stands
    behind, so of those only padding in front counts.

    Fails:

        from transformers import BertConfig, BertForSequenceClassification

        model = BertForSequenceClassification(
            BertConfig(
                vocab_size=50, hidden_size=8, num_hidden_layers=1, num_attention_heads=1,
                intermediate_size=8, pad_token_id=0,
            )
        )
        train_data = [
            {"input_ids": [2, *[7] * n, 3] + [0] * (12 - n), "attention_mask": [1] * 14, "labels": 1}
            for n in range(5, 13)
        ]

    Passes:

        from transformers import BertConfig, BertForSequenceClassification

        model = BertForSequenceClassification(
            BertConfig(
                vocab_size=50, hidden_size=8, num_hidden_layers=1, num_attention_heads=1,
                intermediate_size=8, pad_token_id=0,
            )
        )
        train_data = [
            {
                "input_ids": [2, *[7] * n, 3] + [0] * (12 - n),
                "attention_mask": [1] * (n + 2) + [0] * (12 - n),
                "labels": 1,
            }
            for n in range(5, 13)
        ]

    See also: <https://huggingface.co/docs/transformers/glossary#attention-mask>.
    """
    for batch in masks.batches:
        bad = _padded(batch, run, behind=not model.decoder_only)
        if not bad:
            continue
        longest = max(bad.values())
        rows = tuple(bad)
        yield Finding(
            message=f"In {count(len(bad))} of {count(len(batch))} rows of a batch the attention "
            f"mask is 1 at padding (id {masks.pad_id}), at {count(longest)} positions of row "
            f"{max(bad, key=lambda row: bad[row])}",
            where=Location(column="attention_mask", rows=rows[:3]),
            evidence={"pad_id": masks.pad_id, "rows": len(bad), "of": len(batch), "most": longest},
            remedy="keep the attention_mask that the tokenizer gives, and let tokenizer.pad(...) or "
            "DataCollatorWithPadding(tokenizer) fill it up; if you compute it: (input_ids != "
            "tokenizer.pad_token_id).long()",
        )
        return


def _padded(batch: Mapping[int, Masked], run: int, *, behind: bool) -> dict[int, int]:
    """Return the rows with padding that is not masked, and how much; none if all have the same."""
    each = {row: max(m.before, m.behind if behind else 0) for row, m in batch.items()}
    if len(set(each.values())) < 2:  # as long everywhere, it may as well be text
        return {}
    return {row: length for row, length in each.items() if length >= run}

from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, Train, check
from pipedoctor.facts import Lengths, Settings
from pipedoctor.units import count


@check("DAT032", Severity.WARNING, stage=Stage.DATA)
def padding_to_one_length(
    lengths: Train[Lengths], settings: Settings | None, *, factor: float = 2.0, least: int = 200
) -> Iterator[Finding]:
    """
    All rows were padded to one length when they were tokenised, and most of what is computed is padding.

    `padding="max_length"` in the tokenising function makes each row as long as the longest that
    could be. A collator that pads each batch to its own longest row computes far less, with the
    same result. What it would take is measured on batches drawn at random from these rows; it is
    told from `factor` on, for at least `least` rows. Where the model is compiled, or runs on a TPU,
    one length is wanted, and nothing is said.

    Fails:

        from datasets import Dataset

        rows = [[1] * (8 + n % 40) for n in range(400)]
        train_data = Dataset.from_list(
            [
                {"input_ids": r + [0] * (256 - len(r)), "attention_mask": [1] * len(r) + [0] * (256 - len(r))}
                for r in rows
            ]
        )

    Passes:

        from datasets import Dataset

        rows = [[1] * (8 + n % 40) for n in range(400)]
        train_data = Dataset.from_list(
            [{"input_ids": row, "attention_mask": [1] * len(row)} for row in rows]
        )

    See also: <https://huggingface.co/docs/transformers/pad_truncation>.
    """
    if lengths.width is None or lengths.rows < least or lengths.packed or not lengths.batched:
        return
    if settings is not None and (settings.get("torch_compile") or settings.get("tpu_num_cores")):
        return
    times = lengths.stored / lengths.batched
    if times < factor:
        return
    yield Finding(
        message=f"All {count(lengths.rows)} rows are padded to {count(lengths.width)} tokens, and "
        f"{lengths.padded_share:.0%} of {count(lengths.stored)} tokens are padding; batches of "
        f"{count(lengths.batch)} that are padded to their own longest row hold {times:.1f} times less",
        where=lengths.where,
        evidence={
            "rows": lengths.rows,
            "width": lengths.width,
            "padded_share": round(lengths.padded_share, 3),
            "times": round(times, 2),
            "longest": lengths.longest,
        },
        remedy='tokenizer(text, truncation=True) without padding="max_length", and '
        "data_collator=DataCollatorWithPadding(tokenizer)",
    )

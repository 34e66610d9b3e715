from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pipedoctor import Finding, Severity, Stage, Train, Unavailable, check
from pipedoctor.facts import Head, LabelTokens, Settings, Supervision
from pipedoctor.finding import Location
from pipedoctor.units import count

CURE = "train_dataset = train_dataset.filter(lambda row: any(x != -100 for x in row['labels']))"


SELDOM = 0.001
"""Steps without a label that are rarer than this are not worth a word."""


@check("LLM001", Severity.ERROR, stage=Stage.COLLATOR, explains=("LOS008",))
def rows_that_teach_nothing(
    head: Head,
    labels: Train[LabelTokens] | None,
    taught: Train[Supervision] | None,
    settings: Settings | None,
    *,
    least: float = 0.05,
) -> Iterator[Finding]:
    """
    All labels of some rows are -100, so that a language model learns nothing from them.

    The prompt is left out of the loss. Where it fills all the room that a row has, the answer is
    cut off, and no label is left; where the marker that the answer begins with is not found, the
    whole row is left out. Such a row costs as much time as any other. Where all rows of an
    optimizer step are like that, its loss is 0 divided by 0: Trainer logs NaN, or 0.0, and the
    step changes the weights by decay and momentum only.

    It is an error if no row teaches anything, else a warning from `least` of the rows on.

    Fails:

        from datasets import Dataset
        from transformers import DataCollatorForSeq2Seq, GPT2Config, GPT2LMHeadModel

        model = GPT2LMHeadModel(
            GPT2Config(
                vocab_size=50, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0
            )
        )
        cut = {"input_ids": [7, 8, 9, 5], "labels": [-100, -100, -100, -100]}
        whole = {"input_ids": [7, 8, 5, 3], "labels": [-100, -100, 5, 3]}
        train_data = Dataset.from_list([cut, whole, whole, whole] * 8)
        settings = {"per_device_train_batch_size": 1, "max_steps": 100}

    Passes:

        from datasets import Dataset
        from transformers import GPT2Config, GPT2LMHeadModel

        model = GPT2LMHeadModel(
            GPT2Config(
                vocab_size=50, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0
            )
        )
        whole = {"input_ids": [7, 8, 5, 3], "labels": [-100, -100, 5, 3]}
        train_data = Dataset.from_list([whole] * 32)
        settings = {"per_device_train_batch_size": 1, "max_steps": 100}

    See also: <https://github.com/huggingface/trl/issues/1053>.
    """
    if not head.vocabulary:
        return
    if labels is not None:
        empty, rows, where = labels.without, labels.rows, labels.where
        where, told = replace(where, rows=labels.empty), "rows"
    elif taught is not None:
        bare = tuple(row.row for row in taught.rows if not row.learned)
        empty, rows, told = len(bare), len(taught.rows), "rows that were looked at"
        where = Location(column="labels", split="train", rows=bare[:3])
    else:
        raise Unavailable("how many labels the rows have is not known")
    if not empty:
        return
    share = empty / rows
    if share < least:
        return
    size = _rows_of_a_step(settings)
    seldom = share**size
    message = (
        f"{count(empty)} of {count(rows)} {told} ({share:.0%}) have no label but -100, and teach "
        "nothing"
    )
    if share == 1:
        message = f"All {count(rows)} {told} have no label but -100: nothing is learned"
    elif seldom >= SELDOM:
        of = f"1 in {round(1 / seldom)} steps" if seldom < 0.5 else f"{seldom:.0%} of the steps"
        message += (
            f"; with {count(size)} {'row' if size == 1 else 'rows'} a step, {of} "
            "has no label at all, and a loss of NaN"
        )
    yield Finding(
        message=message,
        where=where,
        evidence={"rows": rows, "without": empty, "share": share, "steps_without": seldom},
        remedy="look at what these rows hold with `pipedoctor batch`: is the answer cut off, or "
        "the marker before it not found?"
        if share == 1
        else f"leave these rows out: {CURE}",
        alternatives=() if share == 1 else ("raise the maximal length, so that the answer fits",),
        severity=None if share == 1 else Severity.WARNING,
    )


def _rows_of_a_step(settings: Settings | None) -> int:
    """Return how many rows one process puts into an optimizer step."""
    if settings is None:
        return 8
    told = [
        settings.get("per_device_train_batch_size"), settings.get("gradient_accumulation_steps")
    ]  # fmt: skip
    known = [value if isinstance(value, int) and value > 0 else 1 for value in told]
    return known[0] * known[1]

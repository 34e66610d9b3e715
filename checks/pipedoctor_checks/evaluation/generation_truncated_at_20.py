from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pipedoctor import Eval, Finding, Severity, Stage, check
from pipedoctor.facts import Generation, LabelTokens, Settings
from pipedoctor.units import count

ROUND = 32
"""The remedy names a multiple of this: a limit need not fit to the token."""


@check("EVA008", Severity.WARNING, stage=Stage.EVALUATION)
def generation_truncated_at_20(
    settings: Settings, generation: Generation, labels: Eval[LabelTokens], *, share: float = 0.1
) -> Iterator[Finding]:
    """
    The evaluation generates 20 tokens at most, since nobody said how many, and the answers are longer.

    Where neither `generation_max_length` nor the model's `generation_config` states a length,
    `generate` stops after 20 tokens. Every metric is then computed on cut texts, and the best
    model is chosen by what it can say in 20 tokens. A length that was stated is left alone.

    The option `share` is how many of the rows must have a longer answer; below a tenth of them
    the metrics hardly show it.

    Fails:

        from datasets import Dataset
        from transformers import DataCollatorForSeq2Seq, T5Config, T5ForConditionalGeneration

        config = T5Config(
            vocab_size=100,
            d_model=16,
            d_kv=8,
            d_ff=16,
            num_layers=1,
            num_heads=2,
            decoder_start_token_id=0,
        )
        model = T5ForConditionalGeneration(config)
        eval_data = Dataset.from_dict({"input_ids": [[5, 6, 1]], "labels": [[7] * 60 + [1]]})
        collator = DataCollatorForSeq2Seq(None)
        settings = {"predict_with_generate": True, "eval_strategy": "epoch"}
        environment = {"transformers": "5.23.0", "gpus": 0}

    Passes:

        from datasets import Dataset
        from transformers import DataCollatorForSeq2Seq, T5Config, T5ForConditionalGeneration

        config = T5Config(
            vocab_size=100,
            d_model=16,
            d_kv=8,
            d_ff=16,
            num_layers=1,
            num_heads=2,
            decoder_start_token_id=0,
        )
        model = T5ForConditionalGeneration(config)
        eval_data = Dataset.from_dict({"input_ids": [[5, 6, 1]], "labels": [[7] * 60 + [1]]})
        collator = DataCollatorForSeq2Seq(None)
        settings = {
            "predict_with_generate": True,
            "eval_strategy": "epoch",
            "generation_max_length": 64,
        }
        environment = {"transformers": "5.23.0", "gpus": 0}

    See also: <https://huggingface.co/docs/transformers/main_classes/text_generation>.
    """
    if generation.stated or generation.limit is None:
        return
    cut = labels.longer_than(generation.limit)
    if not cut or cut < share * labels.rows:
        return
    wanted = -(-(labels.longest + 1) // ROUND) * ROUND
    yield Finding(
        message=f"The evaluation generates {generation.limit} tokens at most, the default; the labels "
        f"of {count(cut)} of {count(labels.rows)} rows are longer, up to {count(labels.longest)} tokens",
        where=replace(settings.where("generation_max_length"), split="eval"),
        evidence={
            "limit": generation.limit,
            "longer": cut,
            "rows": labels.rows,
            "longest": labels.longest,
        },
        remedy=f"set {settings.entry('generation_max_length', wanted)}",
        alternatives=(f"model.generation_config.max_new_tokens = {wanted}",),
    )

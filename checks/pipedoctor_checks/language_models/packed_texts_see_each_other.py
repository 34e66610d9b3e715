from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, check
from pipedoctor.facts import Packing, Settings


@check("LLM010", Severity.WARNING, stage=Stage.FORWARD)
def packed_texts_see_each_other(packing: Packing, settings: Settings | None) -> Iterator[Finding]:
    """
    Several texts are packed into a row, and each attends to those before it.

    The positions begin anew with each text, so they are meant to be apart; but the attention sees
    the whole row. The model learns to go on from an unrelated text, and its loss is lower than it
    will be on texts by themselves. It is found out by running a row twice, the second time with
    other tokens in its first text: what comes after must not change.

    Fails:

        import torch
        from datasets import Dataset
        from transformers import GPT2Config, GPT2LMHeadModel

        def collator(rows):
            ids = torch.tensor([row["input_ids"] for row in rows])
            return {
                "input_ids": ids,
                "labels": ids.clone(),
                "position_ids": torch.tensor([[0, 1, 2, 0, 1, 2]] * len(rows)),
                "attention_mask": torch.ones_like(ids),
            }

        model = GPT2LMHeadModel(
            GPT2Config(vocab_size=50, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0)
        )
        train_data = Dataset.from_dict({"input_ids": [[5, 6, 7, 8, 9, 4]] * 8})

    Passes:

        import torch
        from datasets import Dataset
        from transformers import LlamaConfig, LlamaForCausalLM

        def collator(rows):
            ids = torch.tensor([row["input_ids"] for row in rows[:1]])
            return {
                "input_ids": ids,
                "labels": ids.clone(),
                "position_ids": torch.tensor([[0, 1, 2, 0, 1, 2]]),
            }

        model = LlamaForCausalLM(
            LlamaConfig(
                vocab_size=50,
                hidden_size=16,
                intermediate_size=16,
                num_hidden_layers=1,
                num_attention_heads=2,
            )
        )
        train_data = Dataset.from_dict({"input_ids": [[5, 6, 7, 8, 9, 4]] * 8})

    See also: <https://github.com/huggingface/trl/issues/1230>.
    """
    if not packing.leaks:
        return
    asked = settings is not None and settings.get("packing") is True
    yield Finding(
        message=f"A row holds {packing.texts} texts; other tokens in its first text change the "
        f"logits of the next by {packing.change:.2g} (they go up to {packing.scale:.2g}), where a "
        f"text of its own would not change: {packing.attention or 'the attention'} sees the "
        "whole row",
        where=settings.where("packing") if settings is not None and asked else Location(),
        evidence={
            "texts": packing.texts,
            "change": packing.change,
            "largest_logit": packing.scale,
            "attention": packing.attention,
        },
        remedy='from_pretrained(…, attn_implementation="flash_attention_2"), and no attention_mask '
        "in the batch",
        alternatives=("packing=False",),
    )

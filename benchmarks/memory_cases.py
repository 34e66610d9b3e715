"""The models whose memory is predicted and measured, the options with them, and their batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Case = tuple[Callable[[], Any], int, int, Mapping[str, Any]]


def cases() -> dict[str, Case]:  # noqa: C901 - a list of models, each made by a line or two
    """Return what makes each model, the rows, the length, and the training arguments."""
    from transformers import (
        BertConfig,
        BertForMaskedLM,
        BertForSequenceClassification,
        DistilBertConfig,
        DistilBertForTokenClassification,
        GPT2Config,
        GPT2LMHeadModel,
        LlamaConfig,
        LlamaForCausalLM,
        T5Config,
        T5ForConditionalGeneration,
        ViTConfig,
        ViTForImageClassification,
    )

    def small(**more: Any) -> Any:
        sizes = {"hidden_size": 256, "num_hidden_layers": 4, "num_attention_heads": 4}
        return BertForSequenceClassification(BertConfig(**sizes, intermediate_size=1024, **more))

    def eager() -> Any:
        return small(attn_implementation="eager")

    def base() -> Any:
        return BertForSequenceClassification(BertConfig())

    def minilm() -> Any:
        sizes = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12}
        return BertForMaskedLM(BertConfig(**sizes, intermediate_size=1536))

    def distil() -> Any:
        return DistilBertForTokenClassification(DistilBertConfig(n_layers=3, num_labels=9))

    def gpt() -> Any:
        return GPT2LMHeadModel(GPT2Config(n_layer=4, n_embd=256, n_head=4, vocab_size=20000))

    def llama() -> Any:
        sizes = {"hidden_size": 256, "intermediate_size": 704, "num_hidden_layers": 6}
        heads = {"num_attention_heads": 8, "num_key_value_heads": 2}
        return LlamaForCausalLM(LlamaConfig(**sizes, **heads, vocab_size=16000))

    def t5() -> Any:
        sizes = {"d_model": 256, "d_ff": 1024, "d_kv": 64, "num_layers": 4, "num_heads": 4}
        return T5ForConditionalGeneration(T5Config(**sizes, decoder_start_token_id=0))

    def vit() -> Any:
        sizes = {"hidden_size": 192, "num_hidden_layers": 6, "num_attention_heads": 3}
        return ViTForImageClassification(ViTConfig(**sizes, intermediate_size=768))

    def lora() -> Any:
        from peft import LoraConfig, get_peft_model

        return get_peft_model(llama(), LoraConfig(r=8, target_modules="all-linear"))

    def frozen() -> Any:
        model = small()
        for parameter in model.bert.embeddings.parameters():
            parameter.requires_grad_(False)
        return model

    checkpointed = {"gradient_checkpointing": True}
    return {
        "bert-small": (small, 16, 128, {}),
        "bert-small eager": (eager, 16, 128, {}),
        "bert-small checkpointed": (small, 16, 128, checkpointed),
        "bert-small bf16": (small, 16, 128, {"bf16": True}),
        "bert-small accumulated": (small, 8, 128, {"gradient_accumulation_steps": 2}),
        "bert-small frozen embeddings": (frozen, 16, 128, {}),
        "bert-small adafactor": (small, 4, 64, {"optim": "adafactor"}),
        "bert-small adamw loop": (small, 4, 64, {"optim": "adamw_torch"}),
        "bert-small sgd": (small, 16, 128, {"optim": "sgd"}),
        "bert-base": (base, 2, 128, {}),
        "minilm masked": (minilm, 8, 128, {}),
        "distilbert tokens": (distil, 8, 128, {}),
        "gpt2": (gpt, 4, 256, {}),
        "gpt2 checkpointed": (gpt, 4, 256, checkpointed),
        "gpt2 bf16": (gpt, 4, 256, {"bf16": True}),
        "llama grouped": (llama, 4, 256, {}),
        "llama checkpointed": (llama, 4, 256, checkpointed),
        "llama lora": (lora, 4, 256, {}),
        "t5": (t5, 4, 128, {}),
        "vit": (vit, 8, 0, {}),
    }


def batch(model: Any, rows: int, length: int) -> dict[str, Any]:
    """Return real inputs: random ids, or images."""
    import torch

    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    labels = "LM" in type(inner).__name__ or "Conditional" in type(inner).__name__
    if not length:
        images = torch.randn(rows, 3, 224, 224)
        return {"pixel_values": images, "labels": torch.zeros(rows, dtype=torch.int64)}
    ids = torch.randint(5, 1000, (rows, length))
    tokens = "Token" in type(inner).__name__
    return {"input_ids": ids, "labels": ids if labels else ids % 9 if tokens else ids[:, 0] % 2}

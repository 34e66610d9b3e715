from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, check
from pipedoctor.facts import NewTokens
from pipedoctor.facts.labels import listed
from pipedoctor.units import count


@check("LLM014", Severity.ERROR, stage=Stage.MODEL)
def new_tokens_frozen(tokens: NewTokens) -> Iterator[Finding]:
    """
    Tokens were added to the vocabulary, and the adapter leaves their embedding as it was drawn.

    The rows of new tokens are drawn at random, or from the mean of the others, when the embedding
    is resized. With LoRA, the embedding and the output layer are frozen; so the new tokens mean
    nothing when they are read, and can't be told from each other when they are to be written.
    Training runs all the same. Only tokens are counted that the first and the longest rows hold;
    a new padding token needs no training.

    Fails:

        from datasets import Dataset
        from peft import LoraConfig, get_peft_model
        from transformers import GPT2Config, GPT2LMHeadModel

        config = GPT2Config(
            vocab_size=50, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0
        )
        files = {"model": {"config": {"vocab_size": 50}}}
        base = GPT2LMHeadModel(config)
        base.resize_token_embeddings(52)
        model = get_peft_model(base, LoraConfig(target_modules=["c_attn"], task_type="CAUSAL_LM"))
        ids = [50, 4, 5, 51]
        train_data = Dataset.from_list([{"input_ids": ids, "labels": ids}] * 16)

    Passes:

        from datasets import Dataset
        from peft import LoraConfig, get_peft_model
        from transformers import GPT2Config, GPT2LMHeadModel

        config = GPT2Config(
            vocab_size=50, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0
        )
        files = {"model": {"config": {"vocab_size": 50}}}
        base = GPT2LMHeadModel(config)
        base.resize_token_embeddings(52)
        lora = LoraConfig(
            target_modules=["c_attn"], modules_to_save=["wte", "lm_head"], task_type="CAUSAL_LM"
        )
        model = get_peft_model(base, lora)
        ids = [50, 4, 5, 51]
        train_data = Dataset.from_list([{"input_ids": ids, "labels": ids}] * 16)

    See also: <https://huggingface.co/docs/peft/package_reference/trainable_tokens>.
    """
    if not tokens.names or (tokens.embedding and tokens.head):
        return
    frozen = [
        layer
        for layer, trains in zip(tokens.layers, (tokens.embedding, tokens.head), strict=False)
        if not trains
    ]
    number = len(tokens.names)
    ids = list(tokens.names)
    modules = ", ".join(f'"{layer}"' for layer in tokens.layers)
    yield Finding(
        message=f"{count(number)} {'token' if number == 1 else 'tokens'} in {count(len(tokens.rows))} "
        f"rows that were looked at ({listed(tokens.names.values())}) "
        f"{'is' if number == 1 else 'are'} new: the checkpoint has {count(tokens.stored)} rows of "
        f"embedding; {' and '.join(frozen)} {'is' if len(frozen) == 1 else 'are'} frozen, so "
        "training leaves them as they were drawn",
        where=Location(layer=frozen[0] if frozen else None, split="train", rows=tokens.rows[:3]),
        evidence={
            "tokens": list(tokens.names.values())[:20],
            "ids": ids[:20],
            "stored": tokens.stored,
            "embedding_trains": tokens.embedding,
            "head_trains": tokens.head,
        },
        remedy=f"LoraConfig(…, modules_to_save=[{modules}])",
        alternatives=(f"LoraConfig(…, trainable_token_indices={ids[:8]})",)
        if len(ids) <= 8
        else (),
        severity=Severity.WARNING if tokens.embedding else None,
    )

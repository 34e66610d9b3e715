"""Small language models, a tokenizer made here, and trainers on made-up texts."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path
from typing import Any

import pytest

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n"
    "{% if m['role'] == 'assistant' %}{% generation %}{{ m['content'] }}<|im_end|>"
    "{% endgeneration %}{% else %}{{ m['content'] }}<|im_end|>{% endif %}\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

SPECIAL = ("<s>", "</s>", "<pad>", "<|im_start|>", "<|im_end|>")

WORDS = [
    "river",
    "runs",
    "down",
    "sea",
    "small",
    "model",
    "learns",
    "thing",
    "bread",
    "butter",
    "plate",
    "rain",
    "fell",
    "day",
    "hill",
    "capital",
    "land",
    "answer",
    "near",
    "the",
    "a",
    "on",
    "to",
    "is",
    "what",
    "mountain",
    "snow",
    "light",
    "house",
    "garden",
    "apple",
    "wood",
    "stone",
]


def texts(count: int, longest: int = 20, seed: int = 0) -> list[str]:
    """Return texts of 4 words up to so many."""
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=draw.randint(4, longest))) for _ in range(count)]


@cache
def _vocabulary() -> str:
    tokenizers = pytest.importorskip("tokenizers")
    made = tokenizers.Tokenizer(tokenizers.models.BPE())
    level = tokenizers.pre_tokenizers.ByteLevel
    made.pre_tokenizer = level(add_prefix_space=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=420,
        special_tokens=list(SPECIAL),
        initial_alphabet=level.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(texts(200), trainer)
    return str(made.to_str())


def tokenizer(*, template: str | None = None, pad: str = "<pad>", begins: bool = False) -> Any:
    """Return a tokenizer; with `begins`, one that puts <s> before every text."""
    tokenizers = pytest.importorskip("tokenizers")
    transformers = pytest.importorskip("transformers")
    inner = tokenizers.Tokenizer.from_str(_vocabulary())
    if begins:
        inner.post_processor = tokenizers.processors.TemplateProcessing(
            single="<s> $A", special_tokens=[("<s>", 0)]
        )
    made = transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, bos_token="<s>", eos_token="</s>", pad_token=pad
    )
    if template:
        made.chat_template = template
    return made


def llama(vocabulary: int) -> Any:
    transformers = pytest.importorskip("transformers")
    return transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=2,
            intermediate_size=64,
            max_position_embeddings=256,
            pad_token_id=2,
            bos_token_id=0,
            eos_token_id=1,
        )
    )


def gpt2(vocabulary: int) -> Any:
    transformers = pytest.importorskip("transformers")
    return transformers.GPT2LMHeadModel(
        transformers.GPT2Config(
            vocab_size=vocabulary,
            n_embd=32,
            n_layer=2,
            n_head=2,
            n_positions=256,
            bos_token_id=0,
            eos_token_id=1,
        )
    )


def dataset(rows: list[dict[str, Any]]) -> Any:
    return pytest.importorskip("datasets").Dataset.from_list(rows)


def chats(count: int = 48, longest: int = 20) -> Any:
    """Return conversations of a question and an answer."""
    asked, told = texts(count, longest, 1), texts(count, longest, 2)
    return dataset(
        [
            {
                "messages": [
                    {"role": "user", "content": question},
                    {"role": "assistant", "content": answer},
                ]
            }
            for question, answer in zip(asked, told, strict=True)
        ]
    )


def completions(count: int = 48, longest: int = 20) -> Any:
    """Return prompts and completions."""
    pairs = zip(texts(count, longest, 3), texts(count, longest, 4), strict=True)
    return dataset([{"prompt": a + "\n", "completion": b} for a, b in pairs])


def plain(count: int = 48, longest: int = 20) -> Any:
    return dataset([{"text": text} for text in texts(count, longest, 5)])


def sft(folder: Path, data: Any, made: Any, model: Any = None, **words: Any) -> Any:
    """Return a trainer of TRL; `lora` is the adapter's config, the rest are its arguments."""
    trl = pytest.importorskip("trl")
    lora = words.pop("lora", None)
    stated = trl.SFTConfig(
        **{
            "output_dir": str(folder / "out"),
            "report_to": "none",
            "use_cpu": True,
            "bf16": False,
            "per_device_train_batch_size": 4,
            "max_steps": 20,
            "learning_rate": 2e-4,
            "save_strategy": "no",
            "disable_tqdm": True,
            "gradient_checkpointing": False,
            **words,
        }
    )
    return trl.SFTTrainer(
        model=model if model is not None else llama(len(made)),
        args=stated,
        train_dataset=data,
        processing_class=made,
        peft_config=lora,
    )


def lora(**words: Any) -> Any:
    peft = pytest.importorskip("peft")
    return peft.LoraConfig(**{"target_modules": "all-linear", "task_type": "CAUSAL_LM", **words})


def trainer(folder: Path, model: Any, data: Any, made: Any, **words: Any) -> Any:
    """Return a plain Trainer."""
    transformers = pytest.importorskip("transformers")
    parts = {key: words.pop(key) for key in ("data_collator", "eval_dataset") if key in words}
    stated = transformers.TrainingArguments(
        **{
            "output_dir": str(folder / "out"),
            "report_to": "none",
            "use_cpu": True,
            "per_device_train_batch_size": 4,
            "max_steps": 20,
            "logging_steps": 5,
            "save_strategy": "no",
            "disable_tqdm": True,
            **words,
        }
    )
    return transformers.Trainer(
        model=model, args=stated, train_dataset=data, processing_class=made, **parts
    )


def found(target: Any) -> dict[str, Any]:
    """Return the findings of an examination by their codes; nothing may have crashed."""
    import pipedoctor

    report = pipedoctor.examine(target)
    crashed = [o.rule.code for o in report.outcomes if o.status.value == "crashed"]
    assert not crashed, crashed
    assert not report.problems, report.problems
    return {entry.rule.code: entry for entry in report.entries}


def loud(target: Any) -> dict[str, str]:
    """Return what is more than a note."""
    from pipedoctor import Severity

    return {
        code: entry.finding.message
        for code, entry in found(target).items()
        if entry.severity > Severity.NOTE
    }

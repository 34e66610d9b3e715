"""Healthy pipelines of many kinds, by Trainer and without: all of them learn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from overfit_pipelines import CLASSES, Network, Pictures, bert, gpt2, numbers, pictures, tokens
from resources import minilm, reuters

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from torch import nn  # noqa: E402 - after importorskip
from torch.nn import functional  # noqa: E402 - after importorskip

from pipedoctor.frameworks.capture.trainer import unpack  # noqa: E402 - likewise


def trained(
    model: Any, rows: Any, folder: Path, kind: Any = None, **stated: Any
) -> dict[str, Any]:
    """The parts of a Trainer with the default rate, unless another one is stated."""
    arguments = {
        "output_dir": str(folder), "report_to": "none", "use_cpu": True, "num_train_epochs": 200,
        "per_device_train_batch_size": 8, **stated,
    }  # fmt: skip
    tokenizer = arguments.pop("processing_class", None)
    collator = arguments.pop("data_collator", None)
    trainer = (kind or transformers.Trainer)(
        model=model,
        args=transformers.TrainingArguments(**arguments),
        train_dataset=rows,
        processing_class=tokenizer,
        data_collator=collator,
    )
    return {"trainer": trainer, **unpack(trainer)}


def reuters_with_minilm(folder: Path, **stated: Any) -> dict[str, Any]:
    names = sorted({label for label, _ in reuters()})
    tokenizer = transformers.AutoTokenizer.from_pretrained(minilm())
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        minilm(), num_labels=len(names)
    )
    rows = [
        {**tokenizer(text, truncation=True, max_length=32), "labels": names.index(label)}
        for label, text in reuters()[:400]
    ]
    return trained(model, rows, folder, processing_class=tokenizer, **stated)


def bert_small(folder: Path) -> dict[str, Any]:
    torch.manual_seed(0)
    model = bert(
        vocab_size=30522, hidden_size=256, num_hidden_layers=4, intermediate_size=1024,
        max_position_embeddings=512,
    )  # fmt: skip
    return trained(model, tokens("classes", 0, 30_000), folder)


def lora(folder: Path) -> dict[str, Any]:
    peft = pytest.importorskip("peft")
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        minilm(), num_labels=CLASSES
    )
    adapted = peft.get_peft_model(
        model, peft.LoraConfig(r=8, target_modules=["query", "value"], task_type="SEQ_CLS")
    )
    return trained(adapted, tokens("classes", 0), folder, learning_rate=2e-4)


class Digits(Pictures):
    """The 8 by 8 pictures of handwritten digits."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(64, 10)


def digits(folder: Path) -> dict[str, Any]:
    datasets = pytest.importorskip("sklearn.datasets")
    held = datasets.load_digits()
    rows = [
        {"x": (image / 16.0)[None].tolist(), "labels": int(label)}
        for image, label in zip(held.images[:300], held.target[:300], strict=True)
    ]
    return trained(Digits(), rows, folder, learning_rate=1e-3)


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(200, 32)
        self.lstm = nn.LSTM(32, 64, 2, dropout=0.3, batch_first=True)
        self.head = nn.Linear(64, CLASSES)

    def forward(self, input_ids: Any, labels: Any = None) -> Any:
        _, (hidden, _) = self.lstm(self.words(input_ids))
        logits = self.head(hidden[-1])
        return {"loss": functional.cross_entropy(logits, labels), "logits": logits}


class Weighted(transformers.Trainer):
    """A loss of its own, with weights for the classes: its chance is not known."""

    def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **_: Any) -> Any:
        labels = inputs.pop("labels")
        outputs = model(**inputs)
        weight = torch.tensor([1.0, 2.0, 0.5, 3.0])
        loss = functional.cross_entropy(outputs.logits, labels, weight=weight)
        return (loss, outputs) if return_outputs else loss


def zero_head() -> Any:
    model = bert()
    nn.init.zeros_(model.classifier.weight)
    return model


def head_only() -> Any:
    model = bert()
    model.bert.requires_grad_(False)
    return model


def small(kind: str, config: str, **stated: Any) -> Any:
    family = getattr(transformers, kind)
    return family(getattr(transformers, config)(**stated))


def tagged(count: int = 12) -> list[dict[str, Any]]:
    g = torch.Generator().manual_seed(0)
    return [
        {**row, "labels": [-100, *torch.randint(0, CLASSES, (10,), generator=g).tolist(), -100]}
        for row in tokens("classes", 0)[:count]
    ]


def masked() -> list[dict[str, Any]]:
    rows = []
    for row in tokens("language", 0):
        labels = [word if place % 4 == 0 else -100 for place, word in enumerate(row["labels"])]
        ids = [
            3 if label != -100 else word
            for label, word in zip(labels, row["input_ids"], strict=True)
        ]
        rows.append({"input_ids": ids, "labels": labels})
    return rows


def several() -> list[dict[str, Any]]:
    g = torch.Generator().manual_seed(0)
    return [
        {
            "input_ids": row["input_ids"],
            "labels": torch.randint(0, 2, (CLASSES,), generator=g).float().tolist(),
        }
        for row in tokens("classes", 0)
    ]


def plain(model: Any, rows: Any, make: Any = None, **settings: Any) -> dict[str, Any]:
    parts = {
        "model": model,
        "train_data": rows,
        "settings": {"remove_unused_columns": False, **settings},
    }
    return (
        parts
        if make is None
        else {**parts, "optimizer": make([p for p in model.parameters() if p.requires_grad])}
    )


MINI = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "vocab_size": 200,
}
LLAMA = {**MINI, "num_key_value_heads": 2, "max_position_embeddings": 32}

PIPELINES: Mapping[str, Callable[[Path], dict[str, Any]]] = {
    "minilm": reuters_with_minilm,
    "minilm at 1e-5": lambda folder: reuters_with_minilm(folder, learning_rate=1e-5),
    "minilm at 2e-4": lambda folder: reuters_with_minilm(folder, learning_rate=2e-4),
    "minilm with smoothing": lambda folder: reuters_with_minilm(
        folder, label_smoothing_factor=0.1
    ),
    "minilm in bf16": lambda folder: reuters_with_minilm(folder, bf16=True),
    "minilm with checkpointing": lambda folder: reuters_with_minilm(
        folder, gradient_checkpointing=True
    ),
    "bert-small": bert_small,
    "lora": lora,
    "digits": digits,
    "gpt2 by Trainer": lambda folder: trained(gpt2(), tokens("language", 0), folder),
    "weighted loss": lambda folder: trained(
        bert(), tokens("classes", 0), folder, Weighted, learning_rate=3e-4
    ),
    "adafactor": lambda folder: trained(
        bert(), tokens("classes", 0), folder, optim="adafactor", learning_rate=1e-3
    ),
    "sgd of Trainer": lambda folder: trained(
        Network(), numbers("classes", 0), folder, optim="sgd", learning_rate=0.05
    ),
    "warm-up": lambda folder: trained(
        bert(), tokens("classes", 0), folder, warmup_steps=100, learning_rate=5e-4
    ),
    "accumulation": lambda folder: trained(
        bert(), tokens("classes", 0), folder, gradient_accumulation_steps=4, learning_rate=5e-4
    ),
    "several labels": lambda folder: trained(
        bert(problem_type="multi_label_classification"), several(), folder, learning_rate=3e-4
    ),
    "regression by bert": lambda folder: trained(
        bert(num_labels=1),
        [{**r, "labels": float(n % 5)} for n, r in enumerate(tokens("classes", 0))],
        folder,
        learning_rate=3e-4,
    ),
    "tokens": lambda folder: trained(
        small("BertForTokenClassification", "BertConfig", **MINI, num_labels=CLASSES),
        tagged(64),
        folder,
        learning_rate=1e-3,
    ),
    "masked words": lambda folder: trained(
        small("BertForMaskedLM", "BertConfig", **MINI), masked(), folder, learning_rate=1e-3
    ),
    "llama": lambda folder: trained(
        small("LlamaForCausalLM", "LlamaConfig", **LLAMA),
        tokens("language", 0),
        folder,
        learning_rate=1e-3,
    ),
    "t5": lambda folder: trained(
        small(
            "T5ForConditionalGeneration",
            "T5Config",
            vocab_size=200,
            d_model=32,
            d_kv=16,
            d_ff=64,
            num_layers=2,
            num_heads=2,
            decoder_start_token_id=0,
        ),
        tokens("language", 0),
        folder,
        learning_rate=1e-3,
    ),
    "zero head": lambda folder: trained(
        zero_head(), tokens("classes", 0), folder, learning_rate=5e-4
    ),
    "head only": lambda folder: trained(
        head_only(), tokens("classes", 0), folder, learning_rate=1e-2
    ),
    "recurrent": lambda _: plain(
        Recurrent(), tokens("classes", 0), lambda ps: torch.optim.Adam(ps, lr=1e-3)
    ),
    "momentum": lambda _: plain(
        Pictures(), pictures(0), lambda ps: torch.optim.SGD(ps, lr=0.05, momentum=0.9)
    ),
    "rmsprop": lambda _: plain(
        Network(), numbers("classes", 0), lambda ps: torch.optim.RMSprop(ps, lr=1e-3)
    ),
    "adagrad": lambda _: plain(
        Network(), numbers("classes", 0), lambda ps: torch.optim.Adagrad(ps, lr=1e-2)
    ),
    "settings only": lambda _: plain(bert(), tokens("classes", 0), learning_rate=5e-4),
    "nothing stated": lambda _: plain(bert(), tokens("classes", 0)),
    "fewer rows than a batch": lambda _: plain(
        Network(), numbers("classes", 0)[:3], lambda ps: torch.optim.Adam(ps, lr=1e-3)
    ),
    "large batch": lambda _: plain(
        Network(),
        numbers("classes", 0),
        lambda ps: torch.optim.Adam(ps, lr=1e-3),
        per_device_train_batch_size=64,
    ),
    "smoke run": lambda folder: trained(bert(), tokens("classes", 0), folder, max_steps=4),
}
"""By name; each gets a folder to name as output_dir."""

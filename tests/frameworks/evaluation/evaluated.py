"""Small trainers of each kind of task, with metrics as their tutorials have them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("datasets")

import transformers
from datasets import Dataset

WORDS = 60
TAGS = ["O", "B-PER", "I-PER"]


def tokenizer() -> Any:
    """Return a fast tokenizer of words w4 … w59, made here."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    known = {"[PAD]": 0, "[CLS]": 1, "[SEP]": 2, "[UNK]": 3}
    known |= {f"w{n}": n for n in range(4, WORDS)}
    made = Tokenizer(models.WordLevel(known, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    special = {
        "pad_token": "[PAD]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "unk_token": "[UNK]",
    }
    return transformers.PreTrainedTokenizerFast(tokenizer_object=made, **special)


def model(kind: str, **config: Any) -> Any:
    small = {
        "vocab_size": WORDS,
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
    }
    transformers.set_seed(0)
    family = getattr(transformers, kind)
    return family(family.config_class(**{**small, **config}))


def arguments(kind: str = "TrainingArguments", **stated: Any) -> Any:
    usual = {
        "output_dir": f"{tempfile.gettempdir()}/no_such_folder_of_pipedoctor",
        "use_cpu": True,
        "report_to": "none",
        "disable_tqdm": True,
        "eval_strategy": "epoch",
        "save_strategy": "epoch",
        "logging_steps": 1,
    }
    return getattr(transformers, kind)(**{**usual, **stated})


def classification(
    metrics: Callable[..., Any] | None = None,
    *,
    labels: list[int] | None = None,
    config: dict[str, Any] | None = None,
    trainer: Any = None,
    more: dict[str, Any] | None = None,
    **stated: Any,
) -> Any:
    """Classify rows; the labels stand in order, so that the first batch has but one class."""
    labels = labels or [0] * 8 + [1] * 8 + [2] * 8
    rows = [[1, 4 + n % 7, 2] for n in range(len(labels))]
    data = Dataset.from_dict({"input_ids": rows, "labels": labels})
    return (trainer or transformers.Trainer)(
        model("BertForSequenceClassification", num_labels=3, **(config or {})),
        arguments(**stated),
        train_dataset=data,
        eval_dataset=data,
        compute_metrics=metrics or accuracy,
        **(more or {}),
    )


def accuracy(told: Any) -> dict[str, float]:
    classes = np.argmax(told.predictions, axis=-1)
    return {"accuracy": float((classes == told.label_ids).mean())}


def token_classification(metrics: Callable[..., Any] | None = None, **stated: Any) -> Any:
    def compute(told: Any) -> dict[str, float]:
        classes = np.argmax(told.predictions, axis=-1)
        pairs = [
            (TAGS[a], TAGS[b])
            for answers, labels in zip(classes, told.label_ids, strict=True)
            for a, b in zip(answers, labels, strict=True)
            if b != -100
        ]
        return {"accuracy": sum(a == b for a, b in pairs) / len(pairs)}

    rows = [
        {
            "input_ids": [1, *range(4, 6 + n % 5), 2],
            "labels": [-100, *(m % 3 for m in range(2 + n % 5)), -100],
        }
        for n in range(20)
    ]
    data = Dataset.from_list(rows)
    return transformers.Trainer(
        model("BertForTokenClassification", num_labels=3),
        arguments(**stated),
        train_dataset=data,
        eval_dataset=data,
        data_collator=transformers.DataCollatorForTokenClassification(tokenizer()),
        compute_metrics=metrics or compute,
    )


def questions(metrics: Callable[..., Any] | None = None, **stated: Any) -> Any:
    def compute(told: Any) -> dict[str, float]:
        start, end = told.predictions
        first, last = told.label_ids
        return {"exact": float(((start.argmax(-1) == first) & (end.argmax(-1) == last)).mean())}

    rows = [
        {"input_ids": [1, *range(4, 9 + n % 4), 2], "start_positions": 1, "end_positions": 2}
        for n in range(20)
    ]
    data = Dataset.from_list(rows)
    return transformers.Trainer(
        model("BertForQuestionAnswering"),
        arguments(**stated),
        train_dataset=data,
        eval_dataset=data,
        data_collator=transformers.DataCollatorWithPadding(tokenizer()),
        compute_metrics=metrics or compute,
    )


def causal(metrics: Callable[..., Any] | None = None, **stated: Any) -> Any:
    def compute(told: Any) -> dict[str, float]:
        answers, labels = told.predictions[:, :-1], told.label_ids[:, 1:]
        return {"accuracy": float((answers == labels)[labels != -100].mean())}

    rows = [{"input_ids": list(range(4, 10 + n % 5))} for n in range(20)]
    data = Dataset.from_list([{**row, "labels": row["input_ids"]} for row in rows])
    return transformers.Trainer(
        model("GPT2LMHeadModel", n_embd=16, n_layer=1, n_head=2),
        arguments(**stated),
        train_dataset=data,
        eval_dataset=data,
        data_collator=transformers.DataCollatorForSeq2Seq(tokenizer()),
        compute_metrics=metrics or compute,
        preprocess_logits_for_metrics=lambda logits, labels: logits.argmax(dim=-1),
    )


def translation(
    metrics: Callable[..., Any] | None = None, *, length: int = 8, **stated: Any
) -> Any:
    words = tokenizer()

    def compute(told: Any) -> dict[str, float]:
        answers = np.where(told.predictions != -100, told.predictions, 0)
        labels = np.where(told.label_ids != -100, told.label_ids, 0)
        pairs = zip(words.batch_decode(answers), words.batch_decode(labels), strict=True)
        return {"exact": float(np.mean([a == b for a, b in pairs]))}

    sizes = {"d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1, "num_heads": 2}
    special = {"decoder_start_token_id": 0, "pad_token_id": 0, "eos_token_id": 2}
    part = model("T5ForConditionalGeneration", **sizes, **special)
    rows = [{"input_ids": [1, 5 + n, 2], "labels": [5 + n] * (length + n % 3)} for n in range(20)]
    data = Dataset.from_list(rows)
    return transformers.Seq2SeqTrainer(
        part,
        arguments("Seq2SeqTrainingArguments", **{"predict_with_generate": True, **stated}),
        train_dataset=data,
        eval_dataset=data,
        data_collator=transformers.DataCollatorForSeq2Seq(words, model=part),
        processing_class=words,
        compute_metrics=metrics or compute,
    )


KINDS: dict[str, Callable[..., Any]] = {
    "classification": classification,
    "token_classification": token_classification,
    "questions": questions,
    "causal": causal,
    "translation": translation,
}

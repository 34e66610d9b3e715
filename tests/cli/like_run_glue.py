"""What run_glue does with a flat file of arguments, as far as the example's run uses them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
from datasets import load_dataset
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    HfArgumentParser,
    Trainer,
    TrainingArguments,
    default_data_collator,
    set_seed,
)


@dataclass
class Arguments:
    model_name_or_path: str
    train_file: str
    validation_file: str
    num_labels: int
    max_seq_length: int = 128
    pad_to_max_length: bool = True


def accuracy(told: Any) -> dict[str, float]:
    return {"accuracy": float((np.argmax(told.predictions, axis=1) == told.label_ids).mean())}


def build(path: str) -> Trainer:
    stated, arguments = HfArgumentParser((Arguments, TrainingArguments)).parse_json_file(path)
    set_seed(arguments.seed)
    files = {"train": stated.train_file, "validation": stated.validation_file}
    raw = load_dataset("csv", data_files=files)
    name = stated.model_name_or_path
    config = AutoConfig.from_pretrained(name, num_labels=stated.num_labels)
    tokenizer = AutoTokenizer.from_pretrained(name)
    model = AutoModelForSequenceClassification.from_pretrained(name, config=config)
    padding = "max_length" if stated.pad_to_max_length else False

    def prepare(rows: Any) -> Any:
        texts, most = (rows["question"], rows["sentence"]), stated.max_seq_length
        return tokenizer(*texts, padding=padding, max_length=most, truncation=True)

    data = raw.map(prepare, batched=True)
    return Trainer(
        model=model,
        args=arguments,
        train_dataset=data["train"],
        eval_dataset=data["validation"],
        compute_metrics=accuracy,
        processing_class=tokenizer,
        data_collator=default_data_collator if padding else DataCollatorWithPadding(tokenizer),
    )


if __name__ == "__main__":
    build(sys.argv[1]).train()

"""
Fine-tune an encoder to sort texts into classes.

    python examples/scripts/text_classification.py --model examples/qnli/minilm \
        --train_file examples/scripts/data/tickets_train.csv \
        --validation_file examples/scripts/data/tickets_validation.csv \
        --output_dir out/tickets --eval_strategy epoch --save_strategy epoch \
        --load_best_model_at_end --metric_for_best_model f1 --num_train_epochs 8
"""

import logging
import sys
from dataclasses import dataclass, field

import numpy as np
from datasets import load_dataset
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    EarlyStoppingCallback,
    HfArgumentParser,
    Trainer,
    TrainingArguments,
    set_seed,
)

logger = logging.getLogger(__name__)


@dataclass
class ModelArguments:
    model: str = field(metadata={"help": "a folder or name of a pretrained encoder"})
    max_length: int = field(default=64, metadata={"help": "tokens of a text that are read"})
    freeze_embeddings: bool = False


@dataclass
class DataArguments:
    train_file: str = field(metadata={"help": "a CSV file with a text and a label in each row"})
    validation_file: str = field(metadata={"help": "likewise"})
    text_column: str = "text"
    label_column: str = "label"
    max_train_samples: int | None = None


def compute_metrics(evaluation):
    predictions = np.argmax(evaluation.predictions, axis=-1)
    labels = evaluation.label_ids
    scores = []
    for label in np.unique(labels):
        hits = np.sum((predictions == label) & (labels == label))
        named, real = np.sum(predictions == label), np.sum(labels == label)
        scores.append(2 * hits / (named + real))
    return {"accuracy": float(np.mean(predictions == labels)), "f1": float(np.mean(scores))}


def main():
    parser = HfArgumentParser((ModelArguments, DataArguments, TrainingArguments))
    if len(sys.argv) == 2 and sys.argv[1].endswith(".json"):
        model_args, data_args, training_args = parser.parse_json_file(sys.argv[1])
    else:
        model_args, data_args, training_args = parser.parse_args_into_dataclasses()
    logging.basicConfig(level=logging.INFO)
    set_seed(training_args.seed)

    raw = load_dataset(
        "csv",
        data_files={"train": data_args.train_file, "validation": data_args.validation_file},
    )
    if data_args.max_train_samples is not None:
        raw["train"] = raw["train"].select(range(data_args.max_train_samples))
    names = sorted(raw["train"].unique(data_args.label_column))
    ids = {name: number for number, name in enumerate(names)}
    logger.info("%d classes: %s", len(names), ", ".join(names))

    tokenizer = AutoTokenizer.from_pretrained(model_args.model)
    model = AutoModelForSequenceClassification.from_pretrained(
        model_args.model,
        num_labels=len(names),
        id2label=dict(enumerate(names)),
        label2id=ids,
    )
    if model_args.freeze_embeddings:
        model.base_model.embeddings.requires_grad_(False)

    def prepare(rows):
        prepared = tokenizer(
            rows[data_args.text_column], truncation=True, max_length=model_args.max_length
        )
        prepared["labels"] = [ids[name] for name in rows[data_args.label_column]]
        return prepared

    with training_args.main_process_first(desc="tokenisation"):
        data = raw.map(prepare, batched=True, remove_columns=raw["train"].column_names)

    callbacks = [EarlyStoppingCallback(3)] if training_args.load_best_model_at_end else None
    trainer = Trainer(
        model=model,
        args=training_args,
        train_dataset=data["train"],
        eval_dataset=data["validation"],
        processing_class=tokenizer,
        data_collator=DataCollatorWithPadding(tokenizer, pad_to_multiple_of=8),
        compute_metrics=compute_metrics,
        callbacks=callbacks,
    )
    result = trainer.train(resume_from_checkpoint=training_args.resume_from_checkpoint)
    trainer.save_model()
    trainer.log_metrics("train", result.metrics)
    metrics = trainer.evaluate()
    trainer.log_metrics("eval", metrics)
    trainer.save_metrics("eval", metrics)


if __name__ == "__main__":
    main()

"""
Fine-tune an encoder to find names of people, places and firms: one tag for each word.

    python examples/scripts/token_classification.py --model examples/qnli/minilm \
        --train_file examples/scripts/data/entities_train.json \
        --validation_file examples/scripts/data/entities_validation.json \
        --output_dir out/entities --learning_rate 1e-4 --num_train_epochs 8
"""

from dataclasses import dataclass, field

import numpy as np
from datasets import ClassLabel, Sequence, load_dataset
from transformers import (
    AutoConfig,
    AutoModelForTokenClassification,
    AutoTokenizer,
    DataCollatorForTokenClassification,
    HfArgumentParser,
    Trainer,
    TrainingArguments,
    set_seed,
)


@dataclass
class ModelArguments:
    model: str
    max_length: int = 96


@dataclass
class DataArguments:
    train_file: str = field(metadata={"help": "JSON lines with tokens and ner_tags"})
    validation_file: str = field(metadata={"help": "likewise"})
    label_all_tokens: bool = field(
        default=False, metadata={"help": "give every piece of a word the tag of the word"}
    )


def names_of(data):
    """Return the tags that occur, with O first."""
    found = {tag for tags in data["ner_tags"] for tag in tags}
    return ["O", *sorted(found - {"O"})]


def spans(tags):
    """Return the names in a row of tags: kind, first word, word after the last."""
    found, start, kind = set(), None, None
    for place, tag in enumerate([*tags, "O"]):
        if start is not None and (not tag.startswith("I-") or tag[2:] != kind):
            found.add((kind, start, place))
            start = None
        if tag.startswith("B-"):
            start, kind = place, tag[2:]
    return found


def make_compute_metrics(names):
    def compute_metrics(evaluation):
        predictions = np.argmax(evaluation.predictions, axis=2)
        hits = told = real = 0
        for row, labels in zip(predictions, evaluation.label_ids):
            kept = labels != -100
            found = spans([names[tag] for tag in row[kept]])
            right = spans([names[tag] for tag in labels[kept]])
            hits, told, real = hits + len(found & right), told + len(found), real + len(right)
        precision, recall = hits / max(told, 1), hits / max(real, 1)
        f1 = 2 * precision * recall / max(precision + recall, 1e-9)
        return {"precision": precision, "recall": recall, "f1": f1}

    return compute_metrics


def main():
    parser = HfArgumentParser((ModelArguments, DataArguments, TrainingArguments))
    model_args, data_args, training_args = parser.parse_args_into_dataclasses()
    set_seed(training_args.seed)

    files = {"train": data_args.train_file, "validation": data_args.validation_file}
    raw = load_dataset("json", data_files=files)
    names = names_of(raw["train"])
    raw = raw.cast_column("ner_tags", Sequence(ClassLabel(names=names)))

    config = AutoConfig.from_pretrained(model_args.model, num_labels=len(names))
    config.id2label = dict(enumerate(names))
    config.label2id = {name: number for number, name in enumerate(names)}
    tokenizer = AutoTokenizer.from_pretrained(model_args.model, use_fast=True)
    model = AutoModelForTokenClassification.from_pretrained(model_args.model, config=config)

    def align(rows):
        prepared = tokenizer(
            rows["tokens"],
            is_split_into_words=True,
            truncation=True,
            max_length=model_args.max_length,
        )
        prepared["labels"] = []
        for number, tags in enumerate(rows["ner_tags"]):
            labels, previous = [], None
            for word in prepared.word_ids(batch_index=number):
                if word is None:
                    labels.append(-100)
                elif word != previous or data_args.label_all_tokens:
                    labels.append(tags[word])
                else:
                    labels.append(-100)
                previous = word
            prepared["labels"].append(labels)
        return prepared

    data = raw.map(align, batched=True)
    trainer = Trainer(
        model=model,
        args=training_args,
        train_dataset=data["train"],
        eval_dataset=data["validation"],
        processing_class=tokenizer,
        data_collator=DataCollatorForTokenClassification(tokenizer),
        compute_metrics=make_compute_metrics(names),
    )
    trainer.train()
    trainer.save_model()
    trainer.log_metrics("eval", trainer.evaluate())


if __name__ == "__main__":
    main()

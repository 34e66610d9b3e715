"""Sort the tickets of a shop's customers: billing (0), delivery (1), defect (2)."""

import argparse
import os

import numpy as np
from datasets import load_dataset
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    ByT5Tokenizer,
    Trainer,
    TrainingArguments,
)

CLASSES = 3
TICKETS = os.environ.get("TICKETS", "data/tickets.csv")


def accuracy(prediction):
    return {"accuracy": float(np.mean(prediction.predictions.argmax(-1) == prediction.label_ids))}


def build_trainer(tickets=TICKETS, epochs=10.0, output_dir="out"):
    tokenizer = ByT5Tokenizer()  # the bytes of the text: needs no vocabulary
    data = load_dataset("csv", data_files=tickets, split="train")
    data = data.map(
        lambda rows: tokenizer(rows["text"], truncation=True, max_length=64), batched=True
    )
    data = data.train_test_split(test_size=0.2, seed=0)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=128,
        max_position_embeddings=64,
        pad_token_id=tokenizer.pad_token_id,
        num_labels=CLASSES,
    )
    arguments = TrainingArguments(
        output_dir=output_dir,
        num_train_epochs=epochs,
        learning_rate=5e-4,
        per_device_train_batch_size=8,
        eval_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=1,
        logging_steps=5,
        report_to="none",
    )
    return Trainer(
        model=BertForSequenceClassification(config),
        args=arguments,
        train_dataset=data["train"],
        eval_dataset=data["test"],
        processing_class=tokenizer,
        compute_metrics=accuracy,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--tickets", default=TICKETS)
    parser.add_argument("--epochs", type=float, default=10.0)
    options = parser.parse_args()
    trainer = build_trainer(options.tickets, options.epochs)
    trainer.train()
    print(trainer.evaluate())

"""
Train a small GPT-2 from scratch, or fine-tune one, on the texts of one column.

    python examples/scripts/causal_lm.py --train_file examples/qnli/facts.csv \
        --text_column sentence --output_dir out/lm --learning_rate 2e-3 --num_train_epochs 20

Without `--model`, a tokenizer is trained on the texts and a model of a few layers is built.
"""

import math
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from datasets import load_dataset
from tokenizers import ByteLevelBPETokenizer
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GPT2Config,
    HfArgumentParser,
    PreTrainedTokenizerFast,
    Trainer,
    TrainingArguments,
    default_data_collator,
    set_seed,
)

END = "<|endoftext|>"


@dataclass
class ModelArguments:
    model: str | None = None
    vocab_size: int = field(default=1000, metadata={"help": "of the tokenizer that is trained"})
    layers: int = 2
    width: int = 64


@dataclass
class DataArguments:
    train_file: str
    text_column: str = "text"
    block_size: int = field(default=64, metadata={"help": "tokens of a row"})
    validation_share: float = 0.1


def new_tokenizer(texts, size):
    trained = ByteLevelBPETokenizer()
    trained.train_from_iterator(texts, vocab_size=size, special_tokens=[END])
    return PreTrainedTokenizerFast(
        tokenizer_object=trained._tokenizer, bos_token=END, eos_token=END, unk_token=END
    )


def compute_metrics(evaluation):
    predictions, labels = evaluation.predictions, evaluation.label_ids
    predictions, labels = predictions[:, :-1], labels[:, 1:]  # what a token says of the next one
    kept = labels != -100
    return {"accuracy": float(np.mean(predictions[kept] == labels[kept]))}


def choose(logits, labels):
    """Keep the chosen tokens only: the logits of a whole evaluation would fill the memory."""
    if isinstance(logits, tuple):
        logits = logits[0]
    return logits.argmax(dim=-1)


def main():
    parser = HfArgumentParser((ModelArguments, DataArguments, TrainingArguments))
    model_args, data_args, training_args = parser.parse_args_into_dataclasses()
    set_seed(training_args.seed)

    raw = load_dataset("csv", data_files=data_args.train_file, split="train")
    raw = raw.train_test_split(test_size=data_args.validation_share, seed=training_args.seed)

    if model_args.model is not None:
        tokenizer = AutoTokenizer.from_pretrained(model_args.model)
        model = AutoModelForCausalLM.from_pretrained(model_args.model)
    else:
        tokenizer = new_tokenizer(raw["train"][data_args.text_column], model_args.vocab_size)
        model = AutoModelForCausalLM.from_config(
            GPT2Config(
                vocab_size=len(tokenizer),
                n_positions=128,
                n_embd=model_args.width,
                n_layer=model_args.layers,
                n_head=4,
                bos_token_id=tokenizer.bos_token_id,
                eos_token_id=tokenizer.eos_token_id,
            )
        )
    if len(tokenizer) > model.get_input_embeddings().weight.shape[0]:
        model.resize_token_embeddings(len(tokenizer))

    def tokenise(rows):
        return tokenizer([text + END for text in rows[data_args.text_column]])

    def group(rows):
        """Put all texts of a batch in a row, and cut it into blocks of one size."""
        joined = {name: list(chain(*values)) for name, values in rows.items()}
        size = data_args.block_size
        total = len(joined["input_ids"]) // size * size
        blocks = {
            name: [values[start : start + size] for start in range(0, total, size)]
            for name, values in joined.items()
        }
        blocks["labels"] = [list(block) for block in blocks["input_ids"]]
        return blocks

    tokenised = raw.map(tokenise, batched=True, remove_columns=raw["train"].column_names)
    data = tokenised.map(group, batched=True)
    trainer = Trainer(
        model=model,
        args=training_args,
        train_dataset=data["train"],
        eval_dataset=data["test"],
        processing_class=tokenizer,
        data_collator=default_data_collator,
        compute_metrics=compute_metrics,
        preprocess_logits_for_metrics=choose,
    )
    trainer.train()
    trainer.save_model()
    metrics = trainer.evaluate()
    metrics["perplexity"] = math.exp(metrics["eval_loss"])
    trainer.log_metrics("eval", metrics)


if __name__ == "__main__":
    main()

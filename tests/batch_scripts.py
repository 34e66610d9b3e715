"""Training scripts with small models and tokenizers of their own, each with a place for one fault."""

BYTES = """
import sys
import tempfile

from datasets import Dataset
from tokenizers import ByteLevelBPETokenizer
from transformers import (
    DataCollatorForLanguageModeling,
    DataCollatorForSeq2Seq,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
    Trainer,
    TrainingArguments,
)

mode = sys.argv[1]
texts = [
    "The capital of France is Paris.",
    "What is 2 + 2? It is four.",
    "Ada wrote the first program for a machine that was never finished in her time.",
    "\\x1b[31mred\\x1b[0m 東京で \\u202eevil עולם",
]
bpe = ByteLevelBPETokenizer()
bpe.train_from_iterator(texts * 20, vocab_size=500, special_tokens=["<|end|>", "<|pad|>"])
tokenizer = PreTrainedTokenizerFast(
    tokenizer_object=bpe._tokenizer,
    eos_token="<|end|>",
    pad_token="<|end|>" if mode == "pad-is-end" else "<|pad|>",
)


def row(text):
    prompt = tokenizer("Say: " + text)["input_ids"]
    answer = tokenizer(" " + text[:12])["input_ids"] + [tokenizer.eos_token_id]
    if mode == "pad-is-end":
        return {"input_ids": tokenizer(text)["input_ids"] + [tokenizer.eos_token_id]}
    if mode == "cut":
        return {"input_ids": tokenizer(text * 9)["input_ids"][:24]}
    labels = [-100] * len(prompt) + answer
    if mode == "nothing":
        labels = [-100] * len(labels)
    if mode == "moved":
        labels = (prompt + answer)[1:] + [-100]
    return {"input_ids": prompt + answer, "labels": labels}


collator = (
    DataCollatorForLanguageModeling(tokenizer, mlm=False)
    if mode in ("pad-is-end", "cut")
    else DataCollatorForSeq2Seq(tokenizer)
)
model = GPT2LMHeadModel(
    GPT2Config(
        vocab_size=len(tokenizer), n_embd=16, n_layer=1, n_head=2, n_positions=256,
        bos_token_id=0, eos_token_id=0,
    )
)
arguments = TrainingArguments(
    output_dir=tempfile.mkdtemp(), per_device_train_batch_size=4, max_steps=2,
    report_to="none", use_cpu=True,
)
data = Dataset.from_list([row(text) for text in texts] * 3)
Trainer(
    model, arguments, train_dataset=data, data_collator=collator, processing_class=tokenizer
).train()
"""

TAGS = """
import sys
import tempfile

from datasets import Dataset
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertForTokenClassification,
    DataCollatorForTokenClassification,
    Trainer,
    TrainingArguments,
)

model_folder, moved = sys.argv[1], int(sys.argv[2])
tokenizer = AutoTokenizer.from_pretrained(model_folder)
names = ["O", "B-PER", "I-PER", "B-LOC"]
sentences = [
    (["Ada", "Lovelace", "lived", "in", "London", "."], [1, 2, 0, 0, 3, 0]),
    (["Turing", "worked", "near", "Bletchley", "."], [1, 0, 0, 3, 0]),
]


def row(words, tags):
    encoded = tokenizer(words, is_split_into_words=True)
    labels, before = [], None
    for word in encoded.word_ids():
        labels.append(-100 if word is None or word == before else tags[word])
        before = word
    encoded["labels"] = labels[moved:] + [-100] * moved
    return dict(encoded)


config = BertConfig(
    vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
    intermediate_size=16, num_labels=4, id2label=dict(enumerate(names)),
    label2id={name: number for number, name in enumerate(names)},
)
arguments = TrainingArguments(
    output_dir=tempfile.mkdtemp(), per_device_train_batch_size=2, max_steps=2,
    report_to="none", use_cpu=True,
)
Trainer(
    BertForTokenClassification(config), arguments,
    train_dataset=Dataset.from_list([row(*sentence) for sentence in sentences * 4]),
    data_collator=DataCollatorForTokenClassification(tokenizer), processing_class=tokenizer,
).train()
"""

IMAGES = """
import sys
import tempfile

import torch
from transformers import Trainer, TrainingArguments, default_data_collator

mode = sys.argv[1]


class Images(torch.utils.data.Dataset):
    def __len__(self):
        return 12

    def __getitem__(self, row):
        noise = torch.Generator().manual_seed(0 if mode == "same" else row)
        return {
            "pixel_values": torch.rand(3, 8, 8, generator=noise) + row % 3,
            "size": torch.tensor([0.5 * row, 1.0]),
            "labels": row % 3,
        }


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.head = torch.nn.Linear(3, 3)
        sane = torch.tensor([[-9.0], [0.0], [9.0]])
        bias = torch.tensor([13.5, 4.5, -13.5])
        with torch.no_grad():
            self.head.weight.copy_(sane * (mode != "deaf"))
            self.head.bias.copy_(bias)
            self.head.bias[1] += 1000.0 * (mode == "collapsed")

    def forward(self, pixel_values, size=None, labels=None):
        mean = pixel_values.flatten(1).mean(1, keepdim=True)
        logits = self.head(torch.cat([mean / 3] * 3, 1))
        return {"loss": torch.nn.functional.cross_entropy(logits, labels), "logits": logits}


def collate(rows):
    if mode == "raises":
        raise ValueError("no batch today")
    return default_data_collator(rows)


arguments = TrainingArguments(
    output_dir=tempfile.mkdtemp(), per_device_train_batch_size=6, max_steps=2,
    report_to="none", use_cpu=True,
)
Trainer(Net(), arguments, train_dataset=Images(), data_collator=collate).train()
"""

"""A small Trainer on rows that can be learned, and a place for one fault."""

from collections.abc import Callable
from typing import Any

Check = Callable[..., tuple[int, dict[str, Any], str]]
"""Checks a script: exit status, JSON report, standard error."""

SCRIPT = """
import argparse
import tempfile

from datasets import Dataset
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

parser = argparse.ArgumentParser()
parser.add_argument("--num_labels", type=int, default=3)
options = parser.parse_args()


def build():
    rows = [[2, 5 + 7 * (n % 3) + n % 5, 3] for n in range(24)]
    data = Dataset.from_dict({{"input_ids": rows, "labels": [n % 3 for n in range(24)]}})
    config = BertConfig(
        vocab_size=40,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        num_labels=options.num_labels,
    )
    arguments = TrainingArguments(
        output_dir=tempfile.mkdtemp(),
        max_steps=6,
        save_strategy="no",
        logging_steps=2,
        report_to="none",
        use_cpu=True,
        disable_tqdm=True,
    )
    return Trainer(BertForSequenceClassification(config), arguments, train_dataset=data)


{body}
"""

TRAINS = SCRIPT.format(body='build().train()\nprint("trained")')


def script(body: str) -> str:
    """Return the script with another ending."""
    return SCRIPT.format(body=body)


def codes(report: dict[str, Any]) -> list[str]:
    """Return the codes of the findings that stand for themselves."""
    return [finding["code"] for finding in report["findings"]]

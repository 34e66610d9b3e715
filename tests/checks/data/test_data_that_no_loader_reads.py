"""Data that torch can't read, as the real Trainer can't."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from facts import findings, the_finding

import pipedoctor
from pipedoctor.facts import Rows
from pipedoctor_checks.data.data_that_no_loader_reads import data_that_no_loader_reads

ROWS = [{"input_ids": [2, 5, 3], "labels": n % 2} for n in range(16)]


def test_all_splits_at_once() -> None:
    rows = Rows(None, unreadable="DatasetDict", splits=("train", "test"))
    finding = the_finding(data_that_no_loader_reads, rows, rows)
    assert finding.remedy == 'train_data = train_data["train"]'
    assert "2 entries train, test" in finding.message


def test_what_can_be_read_is_fine() -> None:
    assert findings(data_that_no_loader_reads, Rows(16), None) == []
    assert findings(data_that_no_loader_reads, Rows(None), None) == []


def splits() -> Any:
    from datasets import Dataset, DatasetDict

    return DatasetDict(train=Dataset.from_list(ROWS), test=Dataset.from_list(ROWS))


CASES: dict[str, Callable[[], Any]] = {
    "generator": lambda: (row for row in ROWS),
    "map": lambda: map(dict, ROWS),
    "values": lambda: dict(enumerate(ROWS)).values(),
    "splits": splits,
    "list": lambda: ROWS,
}


@pytest.mark.parametrize("case", CASES)
def test_it_speaks_exactly_where_trainer_fails(case: str, tmp_path: Any) -> None:
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("datasets")
    config = transformers.BertConfig(
        vocab_size=100,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
    )
    arguments = transformers.TrainingArguments(
        str(tmp_path), report_to="none", use_cpu=True, max_steps=1, save_strategy="no"
    )
    data = CASES[case]()
    trainer = transformers.Trainer(
        transformers.BertForSequenceClassification(config), arguments, train_dataset=data
    )
    codes = [entry.rule.code for entry in pipedoctor.examine(trainer).entries]
    try:
        trainer.train()
    except (TypeError, KeyError):
        assert "DAT027" in codes
    else:
        assert "DAT027" not in codes

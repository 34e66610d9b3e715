"""What an evaluation collects, against the memory there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipedoctor.facts import Rehearsal

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

import language_pipelines as lm  # noqa: E402 - after the skips

from pipedoctor import examine  # noqa: E402 - after the skips
from pipedoctor.facts import Batch, Environment, Rows  # noqa: E402 - after the skips
from pipedoctor_checks.evaluation.predictions_fill_the_memory import (  # noqa: E402 - likewise
    predictions_fill_the_memory,
)


def trainer(folder: Path, **words: Any) -> Any:
    made = lm.tokenizer()
    ids = made(lm.texts(1)[0])["input_ids"]
    rows = lm.dataset([{"input_ids": ids, "labels": ids}] * 1000)
    stated = transformers.TrainingArguments(
        output_dir=str(folder), report_to="none", use_cpu=True, eval_strategy="epoch"
    )
    return transformers.Trainer(
        model=lm.gpt2(len(made)),
        args=stated,
        train_dataset=rows,
        eval_dataset=rows,
        data_collator=transformers.DataCollatorForSeq2Seq(made),
        compute_metrics=lambda told: {"rows": len(told.predictions)},
        **words,
    )


@pytest.mark.parametrize("kept", ["logits", "tokens"])
def test_the_logits_of_all_rows_are_told_and_the_best_tokens_are_not(
    tmp_path: Path, kept: str
) -> None:
    words: dict[str, Any] = {}
    if kept == "tokens":
        words["preprocess_logits_for_metrics"] = lambda logits, labels: logits.argmax(-1)
    told = trainer(tmp_path, **words)
    report = examine(told, environment={"memory": 10_000_000, "gpus": 0})
    found = {entry.rule.code: entry.finding for entry in report.entries}
    assert ("EVA001" in found) is (kept == "logits")
    if kept == "logits":
        length = len(told.eval_dataset[0]["input_ids"])
        words = 396
        assert found["EVA001"].evidence["bytes"] == 1000 * length * words * 4
        assert f"1,000 x {length} x {words} numbers" in found["EVA001"].message


def judge(shape: tuple[int, ...], memory: int, **known: Any) -> list[Any]:
    rehearsal = Rehearsal(rows=8, has_labels=True, shapes=(shape,), called=True, **known)
    machine = Environment("3.11", {}, gpus=0, memory=memory)
    batch = Batch({}, rows=8, length=100)
    return list(
        predictions_fill_the_memory(Rows(1000), machine, rehearsal, None, batch, None, None)
    )


def test_rows_are_padded_to_the_longest() -> None:
    (finding,) = judge((8, 20, 50), memory=19_999_999)
    assert finding.evidence["bytes"] == 1000 * 100 * 50 * 4
    assert not judge((8, 20, 50), memory=20_000_000)


def test_classes_are_few() -> None:
    assert not judge((8, 5), memory=20_000)
    assert not judge((8, 20, 50), memory=10, generated=True)

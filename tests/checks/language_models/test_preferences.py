"""Trainers of TRL that compare answers: healthy ones are quiet, and answers that are cut are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from facts import findings, settings, the_finding
from language_pipelines import dataset, found, llama, loud, texts, tokenizer

from pipedoctor import Severity
from pipedoctor.facts import Answers
from pipedoctor_checks.language_models.answers_cut_at_the_limit import answers_cut_at_the_limit

trl = pytest.importorskip("trl")
transformers = pytest.importorskip("transformers")


def preferences(folder: Path, kind: str = "DPO", **words: Any) -> Any:
    """Return a trainer of TRL on answers of which one is better."""
    made = tokenizer()
    model = llama(len(made))
    rows = [
        {"prompt": f"what is {text}", "chosen": f" {text[:12]} is near", "rejected": " snow"}
        for text in texts(40)
    ]
    if kind == "KTO":
        rows = [
            {"prompt": row["prompt"], "completion": row[name], "label": name == "chosen"}
            for row in rows
            for name in ("chosen", "rejected")
        ]
    if kind == "Reward":
        rows = [
            {name: row["prompt"] + row[name] for name in ("chosen", "rejected")} for row in rows
        ]
        model = transformers.LlamaForSequenceClassification(
            transformers.LlamaConfig(**{**model.config.to_dict(), "num_labels": 1})
        )
    else:
        model.save_pretrained(folder / "model")
    stated = getattr(trl, f"{kind}Config")(
        **{
            "output_dir": str(folder / "out"),
            "report_to": "none",
            "use_cpu": True,
            "bf16": False,
            "per_device_train_batch_size": 4,
            "max_steps": 20,
            "save_strategy": "no",
            "disable_tqdm": True,
            "gradient_checkpointing": False,
            **words,
        }
    )
    given = model if kind == "Reward" else str(folder / "model")
    return getattr(trl, f"{kind}Trainer")(
        model=given, args=stated, train_dataset=dataset(rows), processing_class=made
    )


@pytest.mark.parametrize("kind", ["DPO", "KTO", "Reward"])
def test_a_healthy_trainer_is_quiet(tmp_path: Path, kind: str) -> None:
    assert not loud(preferences(tmp_path, kind))


def test_answers_that_a_real_trainer_cuts(tmp_path: Path) -> None:
    trainer = preferences(tmp_path, max_length=20)
    short = [
        len(row["prompt_ids"]) + max(len(row["chosen_ids"]), len(row["rejected_ids"])) > 20
        for row in trainer.train_dataset
    ]
    entry = found(trainer)["LLM009"]

    evidence = entry.finding.evidence
    assert evidence["cut"] == sum(short) > 1
    assert evidence["dropped"] == 40 - len(trainer.train_dataset) > 1
    assert entry.finding.where.rows == tuple(n for n, cut in enumerate(short) if cut)[:3]
    assert "max_length=32" in entry.finding.remedy


def answers(cut: int = 0, dropped: int = 0, **known: Any) -> Answers:
    told = {"limit": 32, "keeps": "start", "bare": 0, "lost": 30, "tokens": 100, "first": (3,)}
    told |= {"rows": 100, "needs": (30, 50, 90)}
    return Answers(("prompt_ids", "chosen_ids"), cut=cut, dropped=dropped, **{**told, **known})


def test_the_message_tells_what_is_lost() -> None:
    stated = settings(max_length=32)
    finding = the_finding(answers_cut_at_the_limit, answers(20, 5, bare=2), stated, None)

    assert finding.message == (
        "20 of 100 rows (20%) are longer than max_length (32 tokens), and their answers lose the "
        "last 30% of their tokens; of 2 nothing is left; 5 of 100 rows were dropped, since the "
        "prompt alone has max_length (32) tokens or more"
    )
    assert finding.remedy.endswith("64; 98% of the rows have 50 tokens or less")
    assert finding.severity is None
    worse = the_finding(answers_cut_at_the_limit, answers(60, keeps="end"), stated, None)
    assert worse.severity is Severity.ERROR
    assert "the first 30%" in worse.message


def test_a_few_long_rows_are_no_fault() -> None:
    assert not findings(answers_cut_at_the_limit, answers(4), settings(max_length=32), None)
    assert not findings(answers_cut_at_the_limit, answers(), settings(max_length=32), None)

"""Each check that offers a fix: made in every dialect, the check is quiet, and nothing else moved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fixing.mending import DIALECTS, KNOWN, examined, mended, write

from pipedoctor.report import Status
from pipedoctor.targets.document import read_document

HERE = {"transformers": "5.23.0", "gpus": 0}
BERT = {"config": {"model_type": "bert"}, "tensors": {"w": ("F32", (108310, 1000))}}
BEST = {"load_best_model_at_end": True, "eval_strategy": "epoch", "save_strategy": "epoch"}
STEPS = {"load_best_model_at_end": True, "eval_strategy": "steps", "save_strategy": "steps"}


@dataclass(frozen=True)
class Case:
    """What is stated, what is to be stated after the fix, and whether the fix is safe."""

    code: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    safe: bool
    rows: int = 3200
    version: str = "5.23.0"
    files: Mapping[str, Any] = field(default_factory=dict)
    parts: Mapping[str, Any] = field(default_factory=dict)
    dialects: tuple[str, ...] = DIALECTS

    def given(self) -> dict[str, Any]:
        environment = {**HERE, "transformers": self.version, "disk_free": 4 * 10**9}
        files = {"files": self.files} if self.files else {}
        return {
            "train_data": range(self.rows),
            "environment": environment,
            **files,
            **self.parts,
        }


CONFIGS = ("json", "yaml", "toml")

CASES = [
    Case("HYP014", {"save_strategy": "epochs"}, {"save_strategy": "epoch"}, safe=False),
    Case("HYP014", {"save_strategy": "Epoch"}, {"save_strategy": "epoch"}, safe=True),
    Case(
        "HYP014",
        {"per_device_train_batch_size": 16.0},
        {"per_device_train_batch_size": 16},
        safe=True,
    ),
    Case("HYP014", {"learning_rate": -1}, {"learning_rate": 5e-05}, safe=False),
    Case("VER001", {"evaluation_strategy": "epoch"}, {"eval_strategy": "epoch"}, safe=True),
    Case(
        "VER001",
        {"evaluation_strategy": "epoch", "eval_strategy": "epoch"},
        {"eval_strategy": "epoch"},
        safe=True,
    ),
    Case(
        "VER001",
        {"evaluation_strategy": "epoch", "eval_strategy": "steps"},
        {"eval_strategy": "steps"},
        safe=False,
    ),
    Case(
        "VER002",
        {"eval_strategy": "epoch"},
        {"evaluation_strategy": "epoch"},
        safe=True,
        version="4.40.2",
    ),
    Case(
        "VER002",
        {"train_sampling_strategy": "group_by_length"},
        {"group_by_length": True},
        safe=True,
        version="4.57.6",
    ),
    Case("VER002", {"warmup_steps": 0.1}, {"warmup_ratio": 0.1}, safe=False, version="4.57.6"),
    Case("VER004", {"warmup_ratio": 0.0625}, {"warmup_steps": 0.0625}, safe=True),
    Case("VER004", {"warmup_ratio": 0.0}, {}, safe=True),
    Case("VER004", {"warmup_ratio": 0.1, "warmup_steps": 9}, {"warmup_steps": 9}, safe=True),
    Case("VER004", {"warmup_ratio": 0.1, "warmup_steps": 0}, {"warmup_steps": 0.1}, safe=True),
    Case("VER004", {"warmup_ratio": 1.0}, {"warmup_steps": 0.1}, safe=False),
    Case("VER004", {"logging_dir": "logs"}, {}, safe=False),
    Case("VER006", {"no_cuda": True}, {"use_cpu": True}, safe=True),
    Case("VER006", {"no_cuda": False}, {}, safe=True),
    Case("VER006", {"overwrite_output_dir": True}, {}, safe=True),
    Case("VER006", {"ray_scope": "all"}, {}, safe=False),
    Case(
        "VER006",
        {"group_by_length": True},
        {"train_sampling_strategy": "group_by_length"},
        safe=True,
    ),
    Case(
        "VER006",
        {"include_inputs_for_metrics": True},
        {"include_for_metrics": ["inputs"]},
        safe=True,
    ),
    Case(
        "VER006",
        {"per_gpu_train_batch_size": 4},
        {"per_device_train_batch_size": 4},
        safe=True,
    ),
    Case(
        "VER006",
        {"fsdp_transformer_layer_cls_to_wrap": "BertLayer"},
        {"fsdp_config": {"transformer_layer_cls_to_wrap": ["BertLayer"]}},
        safe=True,
    ),
    Case(
        "VER006",
        {"push_to_hub_model_id": "qnli", "push_to_hub_organization": "us"},
        {"hub_model_id": "us/qnli"},
        safe=True,
    ),
    Case(
        "VER012", {"learning_rte": 2.0e-5}, {"learning_rate": 2.0e-5}, safe=True, dialects=("py",)
    ),
    Case("VER012", {"learning_rte": 0.5}, {"learning_rate": 0.5}, safe=False, dialects=CONFIGS),
    Case(
        "HYP001", {"learning_rate": 0.001}, {"learning_rate": 2e-5}, False, files={"model": BERT}
    ),
    Case(
        "HYP002",
        {"use_peft": True, "lora_r": 16, "learning_rate": 0.00002},
        {"use_peft": True, "lora_r": 16, "learning_rate": 0.0002},
        safe=False,
        dialects=CONFIGS,
    ),
    Case("HYP003", {"warmup_steps": 5000}, {"warmup_steps": 120}, safe=False),
    Case("HYP005", {"learning_rate": "2e-5"}, {"learning_rate": 2e-5}, safe=True),
    Case("HYP005", {"logging_steps": "1.234567890123e2"}, {"logging_steps": 123.4567890123}, True),
    Case("HYP005", {"max_steps": "100"}, {"max_steps": 100}, safe=True),
    Case(
        "HYP006", {"batch_size": 32}, {"per_device_train_batch_size": 32}, False, dialects=CONFIGS
    ),
    Case("HYP006", {"optimizer": "adam"}, {"optim": "adamw_torch"}, False, dialects=CONFIGS),
    Case(
        "HYP009",
        {"save_strategy": "epoch"},
        {"save_strategy": "steps", "save_steps": 1000},
        safe=False,
        rows=104_743,
    ),
    Case("HYP012", {"save_strategy": False}, {"save_strategy": "no"}, safe=True),
    Case("HYP012", {"report_to": False}, {"report_to": "none"}, safe=True),
    Case("HYP013", {"fp16": "false"}, {"fp16": False}, safe=True),
    Case("LOS008", {"logging_steps": 2000}, {"logging_steps": 60}, safe=False),
    Case(
        "CKP001",
        {"save_steps": 100},
        {"save_steps": 100, "save_total_limit": 2},
        safe=False,
        files={"model": BERT, "output_dir": "out"},
    ),
    Case("CKP003", {"save_total_limit": 1, **BEST}, {"save_total_limit": 2, **BEST}, safe=False),
    Case("CKP004", {**BEST, "save_strategy": "steps"}, BEST, safe=False),
    Case(
        "CKP004",
        {**STEPS, "save_strategy": "epoch", "eval_steps": 200},
        {**STEPS, "eval_steps": 200, "save_steps": 200},
        safe=False,
    ),
    Case(
        "CKP005",
        {**STEPS, "eval_steps": 200, "save_steps": 500},
        {**STEPS, "eval_steps": 200, "save_steps": 200},
        safe=False,
    ),
    Case(
        "CKP021",
        {"save_strategy": "best", "metric_for_best_model": "loss"},
        {"save_strategy": "best", "metric_for_best_model": "loss", "eval_strategy": "epoch"},
        safe=False,
    ),
    Case(
        "CKP022",
        {**STEPS, "eval_steps": 100, "save_steps": 500},
        {**STEPS, "eval_steps": 100, "save_steps": 100, "save_total_limit": 2},
        safe=False,
    ),
    Case(
        "EVA006",
        {**BEST, "metric_for_best_model": "acuracy"},
        {**BEST, "metric_for_best_model": "accuracy"},
        safe=False,
        parts={"eval_data": {"text": ["a"], "label": [1]}, "metrics": ["accuracy"]},
    ),
    Case(
        "EVA006",
        {"save_strategy": "best", "eval_strategy": "epoch"},
        {"save_strategy": "best", "eval_strategy": "epoch", "metric_for_best_model": "loss"},
        safe=False,
    ),
    Case(
        "EVA010",
        {"num_train_epochs": 2},
        {"num_train_epochs": 2, "eval_strategy": "epoch"},
        safe=False,
        parts={"eval_data": range(320)},
    ),
    Case(
        "LAB001",
        {"num_labels": 2},
        {"num_labels": 3},
        safe=False,
        parts={"train_data": {"text": ["a", "b", "c"], "label": [0, 1, 2]}},
        dialects=CONFIGS,
    ),
]

TRIALS = [
    pytest.param(case, dialect, id=f"{case.code}-{number}-{dialect}")
    for number, case in enumerate(CASES)
    for dialect in case.dialects
]


@pytest.mark.parametrize(("case", "dialect"), TRIALS)
def test_the_fix_quiets_its_check_and_moves_nothing_else(
    case: Case, dialect: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = write(dialect, {"output_dir": "out", **case.before, "seed": 7})
    after = {"output_dir": "out", **case.after, "seed": 7}
    path = Path(f"train.{dialect}")
    path.write_text(before.text)

    if not case.safe:
        mended(path, (case.code,), unsafe=False, **case.given())
        assert path.read_text() == before.text, "it is not safe"
    draft = mended(path, (case.code,), unsafe=not case.safe, **case.given())

    assert draft.refused == ()
    assert [entry.rule.code for entry in draft.made] == [case.code] * len(draft.made) != []
    text = path.read_text()
    told = keywords(text) if dialect == "py" else dict(read_document(path))
    assert {key: repr(value) for key, value in told.items()} == {
        key: repr(value) for key, value in after.items()
    }
    stated = {"output_dir": "out", **case.before, "seed": 7}
    kept = [k for k, value in after.items() if repr(stated.get(k, ...)) == repr(value)]
    assert kept
    for key in kept:
        line = before.lines[key]
        assert line in text or line.replace("\n", ",\n") in text, "it is a line of its own still"
    assert text.startswith(before.head)
    assert text.endswith(before.tail)
    (outcome,) = examined(str(path), (case.code,), **case.given()).outcomes
    assert (outcome.status, outcome.findings) == (Status.PASSED, ())


def keywords(text: str) -> dict[str, Any]:
    import ast

    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    (call,) = [node for node in calls if getattr(node.func, "id", "") == "TrainingArguments"]
    return {str(word.arg): ast.literal_eval(word.value) for word in call.keywords}


def test_every_check_that_offers_a_fix_is_tried_here() -> None:
    offering = {
        row.code
        for row in KNOWN.rows
        if any(word in source(row.module) for word in ("fix=", "fix (", "settings.fix("))
    }
    assert offering == {case.code for case in CASES}


def source(module: str) -> str:
    import importlib.util

    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).read_text()


def test_dialects_state_the_same(tmp_path: Path) -> None:
    stated = {"a": 1, "b": "x", "c": [1.5]}
    for dialect in CONFIGS:
        path = tmp_path / f"c.{dialect}"
        path.write_text(write(dialect, stated).text)
        assert json.dumps(dict(read_document(path))) == json.dumps(stated)

"""The example scripts: quiet as they are, and a fault that is put into one is named first."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from resources import minilm

pytest.importorskip("transformers")

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "examples" / "scripts"
DATA = SCRIPTS / "data"
FACTS = ROOT / "examples" / "qnli" / "facts.csv"

EPOCHS = "--eval_strategy epoch --save_strategy epoch --logging_steps 5"


def files(name: str) -> str:
    return (
        f"--train_file {DATA}/{name}_train.{{0}} --validation_file {DATA}/{name}_validation.{{0}}"
    )


ARGUMENTS = {
    "text_classification": f"{files('tickets').format('csv')} {EPOCHS} --num_train_epochs 8 "
    "--learning_rate 5e-5 --load_best_model_at_end --metric_for_best_model f1",
    "token_classification": f"{files('entities').format('json')} {EPOCHS} --learning_rate 1e-4",
    "question_answering": f"{files('questions').format('json')} {EPOCHS} --learning_rate 1e-4",
    "causal_lm": f"--train_file {FACTS} --text_column sentence {EPOCHS} --learning_rate 2e-3",
    "sft_trl": f"--data {FACTS}",
}

Report = dict[str, Any]
Check = Callable[..., tuple[int, Report, str]]


@pytest.fixture
def check(tmp_path: Path, warm: list[str]) -> Check:
    """Check an example script, with pieces of its text replaced and words added to its call."""

    def run(
        name: str, change: tuple[tuple[str, str], ...] = (), words: str = ""
    ) -> tuple[int, Report, str]:
        if name == "sft_trl":
            pytest.importorskip("trl")
            pytest.importorskip("peft")
        text = (SCRIPTS / f"{name}.py").read_text("utf-8")
        for old, new in change:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        (tmp_path / f"{name}.py").write_text(text, "utf-8")
        own = "" if name in {"causal_lm", "sft_trl"} else f"--model {minilm()}"
        arguments = f"{own} {ARGUMENTS[name]} --output_dir out {words}".split()
        words_of_ours = ["check", f"{name}.py", "--output-format", "json"]
        done = subprocess.run(
            [*warm, *words_of_ours, "--", *arguments],
            cwd=tmp_path,
            env={**os.environ, "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        return done.returncode, json.loads(done.stdout or "{}"), done.stderr

    return run


@pytest.mark.parametrize("name", list(ARGUMENTS))
def test_healthy(check: Check, name: str) -> None:
    status, report, stderr = check(name)
    assert [f["code"] for f in report["findings"] if f["severity"] != "note"] == [], stderr
    assert (status, report["ready"]) == (0, True)
    facts = {(fact["fact"], fact.get("split")) for fact in report["facts"]}
    assert {("Forward", "train"), ("Forward", "eval"), ("SaveDryRun", None)} <= facts
    assert not [one for one in report["checks"] if one["status"] in {"crashed", "blocked"}]


def test_an_adapter_is_healthy_too(check: Check) -> None:
    status, report, stderr = check("sft_trl", words="--lora_r 8")
    assert [f["code"] for f in report["findings"] if f["severity"] != "note"] == [], stderr
    assert (status, report["ready"]) == (0, True)


@dataclass(frozen=True)
class Fault:
    """A fault to put into a script: the code that must be named first, and what is changed."""

    code: str
    script: str
    change: tuple[tuple[str, str], ...] = ()
    words: str = ""


NUMBERED = """        num_labels=len(names),
        id2label=dict(enumerate(names)),
        label2id=ids,
"""

FAULTS = {
    "the number of labels is forgotten": Fault(
        "LAB001",
        "text_classification",
        ((NUMBERED, ""),),
    ),
    "the best model goes by a metric that nobody computes": Fault(
        "EVA006", "text_classification", words="--metric_for_best_model matthews"
    ),
    "the rate is a thousand times the usual": Fault(
        "HYP001", "text_classification", words="--learning_rate 1e-2"
    ),
    "tags are padded by nobody": Fault(
        "DAT004",
        "token_classification",
        (
            ("=DataCollatorForTokenClassification(", "=DataCollatorWithPadding("),
            ("    DataCollatorForTokenClassification,\n", "    DataCollatorWithPadding,\n"),
        ),
    ),
    "rows are longer than the model": Fault("DAT008", "causal_lm", words="--block_size 256"),
    "an old name": Fault(
        "VER001", "sft_trl", (('eval_strategy="epoch"', 'evaluation_strategy="epoch"'),)
    ),
}

MORE = {
    "logits are taken for classes": Fault(
        "EVA002",
        "text_classification",
        (("np.argmax(evaluation.predictions, axis=-1)", "evaluation.predictions"),),
    ),
    "the texts are not tokenised": Fault(
        "DAT001",
        "text_classification",
        (
            ('train_dataset=data["train"]', 'train_dataset=raw["train"]'),
            ('eval_dataset=data["validation"]', 'eval_dataset=raw["validation"]'),
        ),
    ),
    "two names for one tensor": Fault(
        "CKP012",
        "text_classification",
        (("    def prepare(", "    model.spare = model.classifier\n\n    def prepare("),),
    ),
    "an old name on the command line": Fault(
        "VER001", "text_classification", words="--evaluation_strategy epoch"
    ),
    "models are evaluated that are not saved": Fault(
        "CKP005",
        "text_classification",
        words="--eval_strategy steps --save_strategy steps --eval_steps 3 --save_steps 4",
    ),
    "there is no pad token": Fault(
        "DAT006",
        "causal_lm",
        (
            ("data = tokenised.map(group, batched=True)", "data = tokenised"),
            ("=default_data_collator", "=DataCollatorForLanguageModeling(tokenizer, mlm=False)"),
            ("    default_data_collator,\n", "    DataCollatorForLanguageModeling,\n"),
        ),
    ),
    "blocks without labels": Fault(
        "LLM020",
        "causal_lm",
        (('        blocks["labels"] = [list(block) for block in blocks["input_ids"]]\n', ""),),
    ),
    "texts longer than an encoder": Fault(
        "DAT008", "question_answering", words="--max_length 600"
    ),
    "tokens that the model has no row for": Fault(
        "DAT007", "sft_trl", (("vocab_size=len(tokenizer)", "vocab_size=len(tokenizer) - 100"),)
    ),
}


@pytest.mark.parametrize(
    "fault",
    [pytest.param(fault, id=what) for what, fault in FAULTS.items()]
    + [pytest.param(fault, id=what, marks=pytest.mark.deep) for what, fault in MORE.items()],
)
def test_a_fault_is_named_first(check: Check, fault: Fault) -> None:
    status, report, stderr = check(fault.script, fault.change, fault.words)
    assert report["findings"], stderr
    first = report["findings"][0]
    assert (status, first["code"]) == (1, fault.code), report["findings"]
    assert first["remedy"]


def test_the_data_are_what_make_data_writes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, SCRIPTS / "make_data.py", tmp_path], check=True)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert len(written) == 6
    assert written == {path.name: path.read_bytes() for path in DATA.iterdir()}


def test_an_answer_stands_where_the_data_say() -> None:
    for part in ("train", "validation"):
        lines = (DATA / f"questions_{part}.json").read_text("utf-8").splitlines()
        for row in map(json.loads, lines):
            (answer,), (start,) = row["answers"]["text"], row["answers"]["answer_start"]
            assert row["context"][start:].startswith(answer)


@pytest.mark.deep
@pytest.mark.parametrize("name", list(ARGUMENTS))
def test_the_loss_falls(tmp_path: Path, name: str) -> None:
    """The scripts are what they seem to be: they train."""
    if name == "sft_trl":
        pytest.importorskip("trl")
        pytest.importorskip("peft")
    own = "" if name in {"causal_lm", "sft_trl"} else f"--model {minilm()}"
    arguments = f"{own} {ARGUMENTS[name]} --output_dir {tmp_path}/out".split()
    subprocess.run(
        [sys.executable, SCRIPTS / f"{name}.py", *arguments],
        cwd=tmp_path,
        capture_output=True,
        check=True,
        timeout=580,
    )
    states = sorted((tmp_path / "out").glob("checkpoint-*/trainer_state.json"), key=_step)
    history = json.loads(states[-1].read_text())["log_history"]
    losses = [row["loss"] for row in history if "loss" in row]
    assert losses[-1] < 0.95 * losses[0]


def _step(path: Path) -> int:
    return int(path.parent.name.rpartition("-")[2])

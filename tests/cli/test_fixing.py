"""`pipedoctor check --fix` and `--diff` as users run them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cli.conftest import Run, contents

FAULTY = """# our best run
learning_rate: 2e-5     # as in the paper
evaluation_strategy: "epoch"
save_strategy: no
overwrite_output_dir: true
hub_token: hf_secret_secret
output_dir: out
"""
SAFE = """# our best run
learning_rate: 2.0e-5     # as in the paper
eval_strategy: "epoch"
save_strategy: "no"
hub_token: hf_secret_secret
output_dir: out
"""
STATIC = ("--depth", "static")


@pytest.fixture
def faulty(project: Path) -> Path:
    path = project / "c.yaml"
    path.write_text(FAULTY)
    return path


def test_safe_fixes_are_made_and_the_file_is_examined_again(pipedoctor: Run, faulty: Path) -> None:
    done = pipedoctor("check", "c.yaml", "--fix", *STATIC)
    assert faulty.read_text() == SAFE
    assert done.returncode == 0, done.stdout + done.stderr
    told = done.stdout.splitlines()
    assert told[0] == "c.yaml: 4 faults fixed"
    assert "  VER001  rename evaluation_strategy to eval_strategy" in told
    assert '  HYP005  set "learning_rate": 2.0e-5' in told
    again = pipedoctor("check", "c.yaml", "--fix", *STATIC)
    assert (again.stdout.splitlines()[0], again.returncode) == ("c.yaml: 0 faults fixed", 0)


def test_the_report_tells_what_can_be_fixed(pipedoctor: Run, faulty: Path) -> None:
    faulty.write_text(FAULTY + "save_total_limit: 1\nload_best_model_at_end: true\n")
    done = pipedoctor("check", "c.yaml", *STATIC)
    assert '  fix  write "learning_rate": 2.0e-5  (--fix)' in done.stdout.splitlines()
    assert done.stdout.splitlines()[-1].startswith("4 fixable with --fix")
    assert "--fix" not in pipedoctor("rules").stdout


def test_a_diff_changes_nothing_and_is_one_that_patch_takes(
    pipedoctor: Run, faulty: Path, project: Path
) -> None:
    faulty.write_text(FAULTY.replace("hub_token: hf_secret_secret\n", "fp16: 'off'\nbf16: 1.5\n"))
    before = contents(project)
    done = pipedoctor("check", "c.yaml", "--diff", "--ignore", "HYP013", *STATIC)
    assert contents(project) == before
    assert (done.returncode, done.stdout.startswith("--- c.yaml\n+++ c.yaml\n@@")) == (1, True)
    assert "4 faults would be fixed, " in done.stderr
    patch = subprocess.run(
        ["git", "apply", "-p0", "-"], input=done.stdout, text=True, cwd=project, check=False
    )
    assert patch.returncode == 0
    fixed = SAFE.replace("hub_token: hf_secret_secret\n", "fp16: 'off'\nbf16: 1.5\n")
    assert faulty.read_text() == fixed


def test_a_diff_of_nothing_is_clean_and_lists_what_it_cannot_mend(
    pipedoctor: Run, faulty: Path
) -> None:
    faulty.write_text(SAFE)
    done = pipedoctor("check", "c.yaml", "--diff", *STATIC)
    assert (done.returncode, done.stdout) == (0, "")
    faulty.write_text(SAFE + "seeed: 1\n")
    done = pipedoctor("check", "c.yaml", "--diff", *STATIC)
    assert (done.returncode, done.stdout) == (1, "")
    assert "VER012 unknown-argument" in done.stderr
    assert "not fixed: " in done.stderr


def test_secrets_are_not_in_a_diff(pipedoctor: Run, faulty: Path) -> None:
    done = pipedoctor("check", "c.yaml", "--diff", *STATIC)
    assert "hf_secret" not in done.stdout + done.stderr
    assert " hub_token: …\n" in done.stdout


def test_unsafe_fixes_are_made_only_if_asked_for(
    pipedoctor: Run, config: Callable[..., str], project: Path
) -> None:
    path = config(warmup_steps=5000)
    words = ["check", path, "--depth", "files", "--output-format", "json"]
    before = (project / path).read_text()
    done = pipedoctor(*words, "--fix")
    assert (done.returncode, (project / path).read_text()) == (1, before)
    report = json.loads(done.stdout)
    assert report["fixes"]["made"] == []
    (finding,) = report["findings"]
    assert finding["fix"]["safe"] is False
    assert finding["fix"]["edits"] == [{"action": "set", "key": "warmup_steps", "value": 11}]
    done = pipedoctor(*words, "--fix", "--unsafe-fixes")
    assert done.returncode == 0, done.stdout
    assert (project / path).read_text() == before.replace("5000", "11")
    (made,) = json.loads(done.stdout)["fixes"]["made"]
    assert (made["code"], made["safe"]) == ("HYP003", False)


def test_what_one_fix_brings_to_light_is_fixed_as_well(pipedoctor: Run, project: Path) -> None:
    path = project / "c.json"
    path.write_text(
        '{"evaluation_strategy": "epoch",\n "load_best_model_at_end": "false",\n "output_dir": "o"}'
    )
    done = pipedoctor("check", "c.json", "--fix", "--unsafe-fixes", *STATIC)
    assert done.returncode == 0, done.stdout
    assert json.loads(path.read_text())["eval_strategy"] == "epoch"


def test_a_script_is_fixed_where_it_states_its_arguments(pipedoctor: Run, project: Path) -> None:
    path = project / "train.py"
    text = (
        "import transformers as tf\n"
        "args = tf.TrainingArguments(\n"
        "    'out',\n"
        "    evaluation_strategy='epoch',  # as before\n"
        "    overwrite_output_dir=True,\n"
        ")\n"
        "tf.Trainer(model, args).train()\n"
    )
    path.write_text(text)
    done = pipedoctor("check", "train.py", "--fix", *STATIC)
    fixed = text.replace("evaluation_", "eval_").replace("    overwrite_output_dir=True,\n", "")
    assert path.read_text() == fixed
    assert "train.py: 2 faults fixed" in done.stdout


def test_links_and_modes_stay_and_read_only_files_are_refused(
    pipedoctor: Run, faulty: Path, project: Path
) -> None:
    (project / "link.yaml").symlink_to("c.yaml")
    faulty.chmod(0o444)
    done = pipedoctor("check", "link.yaml", "--fix", *STATIC)
    assert (done.returncode, faulty.read_text()) == (2, FAULTY)
    assert "is read-only; allow it with: chmod u+w link.yaml" in done.stderr
    faulty.chmod(0o600)
    assert pipedoctor("check", "link.yaml", "--fix", *STATIC).returncode == 0
    assert (project / "link.yaml").is_symlink()
    assert (faulty.read_text(), faulty.stat().st_mode & 0o777) == (SAFE, 0o600)


def test_a_mark_and_line_ends_stay(pipedoctor: Run, faulty: Path) -> None:
    faulty.write_bytes(b"\xef\xbb\xbf" + FAULTY.replace("\n", "\r\n").encode())
    pipedoctor("check", "c.yaml", "--fix", *STATIC)
    assert faulty.read_bytes() == b"\xef\xbb\xbf" + SAFE.replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["c.yaml", "--unsafe-fixes"], "goes with --fix or --diff"),
        (["module:build", "--fix"], "module:build is neither"),
        (["c.yaml", "--fix", "-o", "c.yaml"], "is what is to be examined"),
    ],
)
def test_wrong_usage(pipedoctor: Run, faulty: Path, words: list[str], reason: str) -> None:
    done = pipedoctor("check", *words)
    assert (done.returncode, reason in done.stderr) == (2, True)
    assert faulty.read_text() == FAULTY


SCRIPT = """
from datasets import Dataset
from transformers import (
    AutoModelForSequenceClassification, AutoTokenizer, Trainer, TrainingArguments)

name = "examples/qnli/minilm"
tokenizer = AutoTokenizer.from_pretrained(name)
model = AutoModelForSequenceClassification.from_pretrained(
    name,
    num_labels=2,  # yes, no
)
rows = Dataset.from_dict({"text": ["a b", "c", "d e f"] * 20, "label": [0, 1, 2] * 20})
rows = rows.map(lambda row: tokenizer(row["text"], padding="max_length", max_length=8))
args = TrainingArguments("out", warmup_steps=500, report_to="none")  # odd
Trainer(model, args, train_dataset=rows).train()
"""


def test_a_script_that_was_run_is_fixed_at_the_calls_that_made_its_parts(
    pipedoctor: Run, project: Path
) -> None:
    pytest.importorskip("torch")
    path = project / "train.py"
    path.write_text(SCRIPT)
    done = pipedoctor("check", "train.py", "--fix", "--unsafe-fixes", "--select", "LAB001,HYP003")
    fixed = SCRIPT.replace("num_labels=2", "num_labels=3").replace("=500", "=2")
    assert path.read_text() == fixed, done.stdout + done.stderr
    assert done.returncode == 0


def test_a_diff_needs_no_encoding_of_the_terminal(pipedoctor: Run, faulty: Path) -> None:
    faulty.write_text(FAULTY.replace("best", "meilleur é"), encoding="utf-8")
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii:surrogateescape"}
    done = pipedoctor("check", "c.yaml", "--diff", *STATIC, env=environment)
    assert (done.returncode, " # our meilleur é run" in done.stdout) == (1, True)


SIZED = """from transformers import AutoModelForSequenceClassification, Trainer, TrainingArguments

EPOCHS = "epochs"
arguments = TrainingArguments(output_dir="out", save_strategy=EPOCHS, num_train_epochs=0)
Trainer(AutoModelForSequenceClassification.from_pretrained("m"), arguments).train()
"""


def test_only_what_can_be_done_is_offered_and_a_diff_says_why_not(
    pipedoctor: Run, project: Path
) -> None:
    (project / "train.py").write_text(SIZED)
    words = ("check", "train.py", *STATIC, "--select", "HYP014,RUN002")
    told = pipedoctor(*words).stdout
    assert 'set save_strategy="epoch"\n' in told
    assert "set num_train_epochs=3  (--unsafe-fixes)\n" in told
    assert told.splitlines()[-1] == "1 fixable with --fix --unsafe-fixes"

    done = pipedoctor(*words, "--diff")
    assert (done.returncode, done.stdout) == (1, "")
    words_of = " ".join(done.stderr.split())
    worked_out = "not fixed: save_strategy is worked out; change it where it comes from"
    assert worked_out in words_of
    assert "not fixed: it changes more than how it is written; add --unsafe-fixes" in words_of
    assert "0 faults would be fixed, 2 left" in words_of

    done = pipedoctor(*words, "--diff", "--unsafe-fixes")
    assert "+arguments = TrainingArguments(output_dir=" in done.stdout
    assert worked_out in " ".join(done.stderr.split())
    assert "1 fault would be fixed, 1 left" in done.stderr

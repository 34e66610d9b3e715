"""Findings on scripts point at the line to change."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from capture.pipelines import TRAINS
from resources import minilm

pytest.importorskip("transformers")

Check = Callable[..., dict[str, Any]]

PRETRAINED = """
import os
import tempfile

from datasets import Dataset
from transformers import AutoConfig, AutoTokenizer, Trainer, TrainingArguments
from transformers import AutoModelForSequenceClassification as Classifier

FOLDER = os.environ["MINILM"]
config = AutoConfig.from_pretrained(
    FOLDER,
    num_labels=2,
)
tokenizer = AutoTokenizer.from_pretrained(FOLDER)
model = Classifier.from_pretrained(FOLDER, config=config)
rows = tokenizer([f"text number {n}" for n in range(24)])
data = Dataset.from_dict({**rows, "labels": [n % CLASSES for n in range(24)]})


def arguments(**more):
    return TrainingArguments(
        output_dir=tempfile.mkdtemp(),
        max_steps=50,
        learning_rate=1e-2,
        logging_steps=10,
        save_strategy="no",
        report_to="none", use_cpu=True,
        **more,
    )
"""

TRAINER = """

trainer = Trainer(
    model,
    arguments(warmup_steps=100),
    train_dataset=data,
    processing_class=tokenizer,
)
trainer.train()
"""


@pytest.fixture
def check(tmp_path: Path, warm: list[str]) -> Check:
    """Check a script with this text, and return the report."""

    def run(text: str, *words: str, target: str = "train.py") -> dict[str, Any]:
        (tmp_path / "train.py").write_text(text)
        begin = [*warm, "check", target, "--output-format", "json"]
        done = subprocess.run(
            [*begin, *words],
            cwd=tmp_path,
            env={**os.environ, "NO_COLOR": "1", "MINILM": str(minilm())},
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        report: dict[str, Any] = json.loads(done.stdout)
        assert report["problems"] == []
        return report

    return run


def places(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return where each finding is, by its code."""
    return {finding["code"]: finding["where"] for finding in report["findings"]}


def line_of(text: str, part: str) -> int:
    """Return the line of a text that holds this part."""
    (number,) = (n for n, line in enumerate(text.splitlines(), 1) if part in line)
    return number


def test_each_finding_points_at_its_keyword_or_else_at_the_call(check: Check) -> None:
    text = "CLASSES = 3\n" + PRETRAINED + TRAINER
    found = places(check(text))

    assert found["LAB001"]["file"] == "train.py"
    assert found["LAB001"]["line"] == line_of(text, "num_labels=2")
    assert found["LAB001"]["source"] == "num_labels=2,"
    assert found["HYP001"]["line"] == line_of(text, "learning_rate=1e-2")
    # it comes from **more: the call is where it can be stated
    assert found["HYP003"]["line"] == line_of(text, "return TrainingArguments(")
    assert found["HYP003"]["key"] == "warmup_steps"


def test_a_default_points_at_the_call_that_could_state_it(check: Check) -> None:
    text = TRAINS.replace("num_labels=options.num_labels,", "").replace("logging_steps=2,", "")
    found = places(check(text))

    assert found["LAB001"]["line"] == line_of(text, "config = BertConfig(")
    assert found["LOS008"]["line"] == line_of(text, "arguments = TrainingArguments(")
    assert found["LOS008"]["origin"].startswith("default of transformers")


def test_data_points_at_the_line_that_gives_it_to_the_trainer(check: Check) -> None:
    text = TRAINS.replace('"input_ids": rows', '"ids": rows')
    (first, *_) = check(text)["findings"]

    assert first["code"].startswith("DAT")
    assert first["where"]["line"] == line_of(text, "train_dataset=data")


def test_an_argument_that_is_gone_is_told_by_its_own_check(check: Check) -> None:
    text = TRAINS.replace("disable_tqdm=True,", 'evaluation_strategy="no",')
    (finding,) = check(text)["findings"]

    assert finding["code"] == "VER001"
    assert finding["message"].startswith("transformers ")
    assert finding["where"]["line"] == line_of(text, "evaluation_strategy")
    assert finding["where"]["source"] == 'evaluation_strategy="no",'
    assert finding["evidence"]["key"] == "evaluation_strategy"


def test_values_that_do_not_go_together_are_told_by_the_check_of_them(check: Check) -> None:
    change = 'load_best_model_at_end=True, eval_strategy="epoch",\n        save_strategy="steps"'
    text = TRAINS.replace('save_strategy="no"', change)
    report = check(text)

    assert report["findings"][0]["code"] == "CKP004"
    assert "RUN001" not in places(report)
    assert report["findings"][0]["where"]["line"] in {
        line_of(text, 'save_strategy="steps"'),
        line_of(text, "load_best_model_at_end"),
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("train_dataset=data)", "\n        tokeniser=None)"),
        ("disable_tqdm=True,", "tokeniser=1,"),
        ("build().train()", "argparse.ArgumentParser(\n    'x',\n    tokeniser=1,\n)"),
    ],
    ids=["trainer", "arguments", "python"],
)
def test_the_keyword_that_is_refused_is_shown(check: Check, old: str, new: str) -> None:
    text = TRAINS.replace(old, new)
    (finding,) = check(text)["findings"]

    assert "tokeniser" in finding["message"]
    assert finding["where"]["line"] == line_of(text, "tokeniser")


@pytest.mark.parametrize("told", ["file", "words"])
def test_arguments_that_are_parsed_point_at_where_they_were_stated(
    check: Check, tmp_path: Path, told: str
) -> None:
    (tmp_path / "args.json").write_text(
        '{\n "output_dir": "out",\n "max_steps": 6,\n "warmup_steps": 100,\n'
        ' "report_to": "none",\n "save_strategy": "no",\n "logging_steps": 2, "use_cpu": true\n}\n'
    )
    words = "--output_dir out --max_steps 6 --warmup-steps=100 --report_to none --use_cpu True "
    words += "--save_strategy no"
    begin, _, rest = TRAINS.partition("    arguments = TrainingArguments(")
    text = begin + "    arguments = read()\n" + rest[rest.index("    return Trainer") :]
    reading = (
        "def read():\n    from transformers import HfArgumentParser\n"
        "    parser = HfArgumentParser(TrainingArguments)\n"
        "    if FILE:\n        return parser.parse_json_file('args.json')[0]\n"
        "    return parser.parse_args_into_dataclasses()[0]\n\n\n"
    ).replace("FILE", repr(told == "file"))
    text = text.replace("def build():", reading + "def build():")
    text = text.replace("options = parser.parse_args()", "options = parser.parse_args([])")
    report = check(text, *(["--", *words.split()] if told == "words" else []))
    found = places(report)["HYP003"]

    if told == "file":
        assert (found["file"], found["line"]) == ("args.json", 4)
    else:
        assert (found["key"], found["origin"]) == ("warmup_steps", "command line")
        default = places(report)["LOS008"]
        assert default["line"] == line_of(text, "parse_args_into_dataclasses()")


HEALTHY = """
import os, tempfile

source = tempfile.mkdtemp()
os.chdir(source)
build().model.save_pretrained("model")
BertForSequenceClassification = Loaded
trainer = build()
os.chdir("/")
trainer.train()
"""


def test_files_of_a_loaded_model_are_known_and_raise_no_false_alarm(check: Check) -> None:
    loaded = (
        "\n\ndef Loaded(config):\n"
        "    config.num_labels = 5\n    config.dtype = 'float16'\n"
        "    model = BertModel.from_pretrained('model', ignore_mismatched_sizes=True, num_labels=3)\n"
        "    model.resize_token_embeddings(64)\n    return model\n"
    )
    text = TRAINS.replace("build().train()", "BertModel = BertForSequenceClassification" + loaded)
    text = text.replace('print("trained")', HEALTHY).replace("default=3", "default=5")
    text = text.replace("[n % 3 for", "[n % 3 for")
    report = check(text)

    files = [fact for fact in report["facts"] if fact["fact"] == "ModelFiles"]
    assert len(files) == 1
    assert files[0]["name"].endswith("/model")
    assert (report["findings"], report["ready"]) == ([], True)


def test_an_optimizer_of_the_scripts_own_is_not_judged_by_the_settings(check: Check) -> None:
    change = "    optimizers=(torch.optim.AdamW(model.parameters(), lr=2e-5), None),\n)"
    text = "CLASSES = 2\nimport torch\n" + PRETRAINED
    text += TRAINER.replace("warmup_steps=100", "").replace("\n)", "\n" + change)
    found = places(check(text))

    assert "HYP001" not in found


def test_a_factory_points_at_its_lines_too(check: Check) -> None:
    text = TRAINS.replace("build().train()\n", "").replace("parse_args()", "parse_args([])")
    text = text.replace("num_labels=options.num_labels", "num_labels=2")
    found = places(check(text, target="train:build"))

    assert (found["LAB001"]["file"], found["LAB001"]["line"]) == (
        "train.py",
        line_of(text, "num_labels=2"),
    )


TRANSPARENT = """
import copy, dataclasses, inspect, pickle
from transformers import HfArgumentParser, PreTrainedModel

parameters = list(inspect.signature(TrainingArguments).parameters)
assert parameters == [f.name for f in dataclasses.fields(TrainingArguments) if f.init], parameters
(parsed,) = HfArgumentParser(TrainingArguments).parse_args_into_dataclasses(["--output_dir", "x"])
assert parsed.output_dir == "x"
assert "model" in inspect.signature(Trainer).parameters
assert "config" in inspect.signature(PreTrainedModel.__init__).parameters
assert list(inspect.signature(BertForSequenceClassification.from_pretrained).parameters)[0] == \\
    "pretrained_model_name_or_path"
assert BertForSequenceClassification.from_pretrained.__self__ is BertForSequenceClassification
assert inspect.getdoc(PreTrainedModel.from_pretrained)
trainer = build()
assert pickle.loads(pickle.dumps(trainer.args)).max_steps == 6
assert copy.deepcopy(trainer.model).config.num_labels == 3
assert dataclasses.replace(trainer.args, max_steps=7).max_steps == 7


@dataclasses.dataclass
class Mine(TrainingArguments):
    size: int = 3


assert list(inspect.signature(Mine).parameters) == [*parameters, "size"]
TrainingArguments = Mine
build().train()
"""


def test_a_script_can_look_at_what_is_wrapped_as_if_it_were_not(check: Check) -> None:
    text = TRAINS.replace("build().train()", TRANSPARENT)
    text = text.replace("disable_tqdm=True,", "warmup_steps=60,")
    found = places(check(text))

    assert set(found) == {"HYP003"}
    assert found["HYP003"]["line"] == line_of(text, "warmup_steps=60")

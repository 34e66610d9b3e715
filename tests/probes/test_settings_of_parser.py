"""The settings of a script that HfArgumentParser takes from the command line."""

from __future__ import annotations

import pytest
from facts import pipeline

from pipedoctor.fact import Unavailable
from pipedoctor.facts import Settings
from pipedoctor.fix import put
from pipedoctor.targets import resolve
from pipedoctor.targets.script import ScriptText

SCRIPT = """
from dataclasses import dataclass, field
import transformers
from transformers import HfArgumentParser{imports}

@dataclass
class ModelArguments:
    model: str = field(default="bert-base-uncased")

@dataclass
class MyArguments(transformers.TrainingArguments):
    optim: str = field(default="adamw_torch")
    weight_decay: float = 0.1
    label_names: list = field(default_factory=list)

parser = HfArgumentParser(({classes}))
model_args, args = parser.parse_args_into_dataclasses()
{more}
"""


def settings(
    *words: str, classes: str = "ModelArguments, MyArguments", imports: str = "", more: str = ""
) -> Settings:
    text = SCRIPT.format(classes=classes, imports=imports, more=more)
    script = ScriptText.of(text, "train.py", words)
    return pipeline(script=script, environment={"transformers": "5.23.0"}).fact(Settings)


def test_options_are_read_as_the_parser_reads_them() -> None:
    found = settings("--learning_rate", "1e-3", "--fp16", "--num_train", "2", "--model", "x")
    assert (found.learning_rate, found.fp16) == (0.001, True)
    assert found.abbreviations == {"num_train": ("num_train_epochs",)}
    assert found.where("learning_rate").origin == "command line"
    assert (found.stated["model"], "model" in found.script_keys) == ("x", True)
    assert found.save_steps == 500, "what is not given has its default"
    assert found.entry("fp16", False) == "--fp16 false"


def test_a_class_of_the_script_states_its_defaults_under_the_options() -> None:
    found = settings("--optim", "adafactor")
    assert (found.optim, found.weight_decay) == ("adafactor", 0.1)
    assert (found.where("weight_decay").file, found.where("weight_decay").line) == ("train.py", 13)
    assert not found.known("label_names")
    assert settings().optim == "adamw_torch"


def test_without_options_no_default_of_the_library_is_claimed() -> None:
    assert settings().get("save_steps", "?") == "?"


@pytest.mark.parametrize(
    ("classes", "imports"),
    [
        ("TrainingArguments,", ", TrainingArguments"),
        ("TA", ", TrainingArguments as TA"),
        ("transformers.TrainingArguments", ""),
    ],
)
def test_the_class_of_the_library_itself(classes: str, imports: str) -> None:
    assert settings("--seed", "3", classes=classes, imports=imports).seed == 3


@pytest.mark.parametrize(
    ("words", "classes", "more"),
    [
        (("config.json",), "ModelArguments, MyArguments", ""),
        (("--seed", "1"), "ModelArguments,", ""),
        (("--seed", "1"), "ModelArguments, OtherArguments", ""),
        (("--seed", "1"), "ModelArguments, MyArguments", "setattr(args, name, 5)"),
        (("--seed", "1"), "ModelArguments, MyArguments", "args.set_training(batch_size=3)"),
    ],
)
def test_what_can_not_be_followed_is_not_claimed(
    words: tuple[str, ...], classes: str, more: str
) -> None:
    with pytest.raises(Unavailable):
        settings(*words, classes=classes, more=more)


def test_what_is_assigned_afterwards_is_not_known() -> None:
    found = settings("--seed", "1", "--learning_rate", "1e-3", more="args.seed = 5")
    assert (found.get("seed", "?"), found.learning_rate) == ("?", 0.001)


def test_options_that_may_be_others_are_left_out() -> None:
    more = "parser.add_argument('--folds')"
    assert "folds" not in settings("--folds", "5", "--seed", "1", more=more).stated
    assert "folds" in settings("--folds", "5", "--seed", "1").stated


def test_a_fix_is_for_the_command_line_and_changes_no_file() -> None:
    found = settings("--learning_rate", "1")
    for name in ("learning_rate", "weight_decay", "save_steps"):
        made = found.fix(put(name, 0.1), safe=True)
        assert (made.file, made.line) == (None, None)
        assert made.obstacle


def test_the_words_of_a_command_reach_the_script(tmp_path) -> None:
    path = tmp_path / "train.py"
    path.write_text(SCRIPT.format(classes="MyArguments", imports="", more=""))
    for target in (
        resolve(str(path), ["--seed", "3"]),
        resolve(None, ["python", str(path), "--seed", "3"]),
    ):
        assert target.parts["script"].words == ("--seed", "3")

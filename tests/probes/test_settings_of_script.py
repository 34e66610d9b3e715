"""The settings of a script that was not run: what is stated for certain, and nothing else."""

from __future__ import annotations

import textwrap

import pytest
from facts import pipeline

from pipedoctor.fact import Unavailable
from pipedoctor.facts import Settings
from pipedoctor.targets.script import ScriptText

HEAD = "from transformers import TrainingArguments, Seq2SeqTrainingArguments\nfrom trl import SFTConfig\n"
MACHINE = {"transformers": "5.23.0", "trl": "1.16.0"}


def settings(text: str, **parts) -> Settings:
    script = ScriptText.of(HEAD + textwrap.dedent(text), "train.py")
    return pipeline(script=script, environment=MACHINE, **parts).fact(Settings)


def test_what_is_stated_and_where() -> None:
    found = settings("TrainingArguments(\n    'out',\n    learning_rate=2e-5,\n)")
    assert dict(found.stated) == {"output_dir": "out", "learning_rate": 2e-5}
    assert (found.where("learning_rate").file, found.where("learning_rate").line) == (
        "train.py",
        5,
    )
    assert found.where("learning_rate").source == "learning_rate=2e-5,"
    assert found.save_steps == 500, "the default"
    assert found.where("save_steps").line == 3, "the call that it could be added to"


def test_what_only_a_run_can_tell_is_stated_but_not_known() -> None:
    found = settings("TrainingArguments('out', learning_rate=args.lr, seed=1)")
    assert "learning_rate" in found.stated
    assert not found.known("learning_rate")
    assert found.get("learning_rate", "?") == "?"
    with pytest.raises(Unavailable, match=r"learning_rate.* args\.lr is known only when"):
        _ = found.learning_rate
    with pytest.raises(Unavailable, match=r"args\.lr"):
        found.stated.get("learning_rate")
    assert set(found.stated.items()) == {("output_dir", "out"), ("seed", 1)}
    assert repr(found.written("learning_rate")) == "args.lr"
    assert len(found.stated) == len(list(found.stated)) == 3


@pytest.mark.parametrize(
    "text",
    [
        "TrainingArguments('out', **k)",
        "a = TrainingArguments('out')\nsetattr(a, name, value)",
        "a = TrainingArguments('out')\na.set_save(strategy='epoch')",
        "from dataclasses import replace\na = replace(TrainingArguments('out'), **k)",
    ],
)
def test_a_default_is_not_assumed_where_more_may_be_stated(text: str) -> None:
    found = settings(text)
    assert found.output_dir == "out"
    with pytest.raises(Unavailable, match=r"line 3 states more|line 4 changes|line 3 changes"):
        _ = found.save_steps


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("a = TrainingArguments('out')\na.seed = 7", True),
        ("a = TrainingArguments('out', seed=1)\na.seed = 7", False),
        ("a = TrainingArguments('out')\nif b:\n    a.seed = 7", False),
        ("a = TrainingArguments('out')\na.seed = args.seed", False),
        ("def go(a):\n    a.seed = 7\ngo(TrainingArguments('out'))", True),
    ],
)
def test_what_is_assigned_later(text: str, known: bool) -> None:
    found = settings(text)
    assert "seed" in found.stated
    assert (found.get("seed") == 7) is known


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x = 1", "no TrainingArguments"),
        ("def unused():\n    TrainingArguments('out')", "no TrainingArguments"),
        ("TrainingArguments('a')\nTrainingArguments('b')", "lines 3, 4"),
    ],
)
def test_without_the_one_call_there_are_none(text: str, reason: str) -> None:
    with pytest.raises(Unavailable, match=reason):
        settings(text)


def test_the_part_settings_comes_first() -> None:
    assert settings("TrainingArguments('out', seed=1)", settings={"seed": 2}).seed == 2


def test_a_class_of_the_scripts_own_has_its_own_fields_and_defaults() -> None:
    found = settings("""
        class Mine(TrainingArguments):
            freeze: bool = True
            seed: int = 7
            weight_decay: float = field(default=0.1)
        Mine("out", freeze=False)
    """)
    assert found.seed == 7
    assert not found.known("weight_decay")
    assert found.script_keys == {"freeze", "seed", "weight_decay"}


def test_a_config_of_trl_has_defaults_of_its_own() -> None:
    found = settings("SFTConfig('out', packing=True, max_seq_length=512)")
    assert found.save_steps == 500
    assert found.get("learning_rate", 2e-5) == 2e-5, "not Trainer's 5e-5"
    assert {"packing", "max_seq_length"} <= found.script_keys


def test_without_trl_nothing_is_assumed_of_its_defaults() -> None:
    script = HEAD + "SFTConfig('out', seed=3)"
    machine = {"transformers": "5.23.0", "trl": None}
    found = pipeline(script=script, environment=machine).fact(Settings)
    assert found.seed == 3
    with pytest.raises(Unavailable, match=r"defaults of trl\.SFTConfig"):
        _ = found.save_steps


def test_arguments_of_a_seq2seq_training() -> None:
    found = settings("Seq2SeqTrainingArguments('out', predict_with_generate=True)")
    assert found.predict_with_generate is True
    assert found.learning_rate == 5e-5


def test_whether_the_script_resumes_is_not_known_of_the_argument() -> None:
    found = settings("TrainingArguments('out', resume_from_checkpoint='out/checkpoint-5')")
    assert "resume_from_checkpoint" in found.stated
    assert not found.known("resume_from_checkpoint")

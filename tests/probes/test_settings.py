from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from types import SimpleNamespace

import pytest

from pipedoctor.capture.sites import Site
from pipedoctor.fact import Unavailable
from pipedoctor.facts import Arguments, Settings
from pipedoctor.facts.arguments import Argument
from pipedoctor.finding import Location


class Config(dict):
    """What a config file hands over: its values, their lines, and whose they are."""

    script = "run_glue"

    def __init__(self, values, locations):
        super().__init__(values)
        self.locations = locations
        self.script_keys = ["max_seq_length"]


def test_a_mapping_is_what_is_stated(subject):
    settings = subject(settings={"learning_rate": 1e-3}).fact(Settings)
    assert settings.learning_rate == 1e-3
    assert settings.save_steps == 500
    assert settings.script is None
    assert settings.script_keys == frozenset()
    assert settings.where("save_steps").origin == "default of transformers 5.23.0"


def test_a_config_knows_its_lines_and_its_script(subject):
    line = Location(file="config.json", line=4, key="seed")
    settings = subject(settings=Config({"seed": 7}, {"seed": line})).fact(Settings)
    assert settings.where("seed") == line
    assert settings.script == "run_glue"
    assert settings.script_keys == {"max_seq_length"}


def test_without_settings_there_are_none(subject):
    with pytest.raises(Unavailable, match="no settings"):
        subject().fact(Settings)


class Strategy(str, Enum):
    NO = "no"
    STEPS = "steps"


@dataclass
class Given:
    seed: int = 42
    bf16: bool = False
    eval_strategy: str = "no"
    include_for_metrics: list = field(default_factory=list)
    rate: float = 1.0


def test_of_an_object_what_differs_from_the_default_is_stated(subject):
    given = Given(seed=1, eval_strategy=Strategy.STEPS)
    given.extra = "no field"
    given._hidden = 3
    stated = subject(settings=given).fact(Settings).stated
    assert stated == {"seed": 1, "eval_strategy": "steps"}
    assert type(stated["eval_strategy"]) is str


def test_a_word_is_compared_as_a_word_and_a_number_by_its_type(subject):
    given = Given(eval_strategy=Strategy.NO, bf16=0, rate=1)
    assert subject(settings=given).fact(Settings).stated == {"bf16": 0, "rate": 1}


def test_of_an_object_without_declarations_everything_is_stated(subject):
    given = SimpleNamespace(seed=1, script="train.py", locations=None, _hidden=2)
    settings = subject(settings=given).fact(Settings)
    assert settings.stated == {"seed": 1, "script": "train.py", "locations": None}
    assert settings.script is None


def test_what_is_neither_is_refused(subject):
    with pytest.raises(Unavailable, match="of type int"):
        subject(settings=3).fact(Settings)


def test_real_training_arguments(subject, tmp_path):
    transformers = pytest.importorskip("transformers")
    given = transformers.TrainingArguments(
        str(tmp_path), learning_rate=1e-4, eval_strategy="epoch", report_to="none", use_cpu=True
    )
    settings = subject(settings=given).fact(Settings)
    assert settings.learning_rate == 1e-4
    assert settings.word("eval_strategy") == "epoch"
    assert settings.save_steps == 500
    assert {"learning_rate", "eval_strategy", "output_dir", "use_cpu"} <= set(settings.stated)
    assert {"num_train_epochs", "save_strategy", "optim"}.isdisjoint(settings.stated)


def test_whether_a_value_is_known(subject):
    settings = subject(settings={"seed": 7, "save_steps": "often"}).fact(Settings)
    assert settings.known("seed")
    assert settings.known("max_steps")
    assert settings.known("stated")
    assert not settings.known("save_steps")
    assert not settings.known("model_revision")


def test_a_default_that_an_expression_computes_is_not_known():
    fields = {"bf16_backend": Argument("str")}
    settings = Settings({}, Arguments("5.23.0", installed=True, fields=fields))
    assert not settings.known("bf16_backend")
    with pytest.raises(Unavailable, match="computed at run time"):
        _ = settings.bf16_backend


PLACE = Location(file="train.py", line=7, source="args = Given(")
SITE = Site(PLACE, {"rate": replace(PLACE, line=8, key="rate")}, frozenset({"rate", "seed"}))


def test_what_a_script_gives_is_stated_also_where_it_is_the_default(subject):
    settings = subject(settings=Given(seed=42), sites={"settings": SITE}).fact(Settings)
    assert settings.stated == {"rate": 1, "seed": 42}
    assert settings.where("rate").line == 8
    assert settings.where("seed") == replace(PLACE, key="seed")
    default = settings.where("max_steps")
    assert default.line == 7
    assert default.origin.startswith("default of ")


def test_an_object_knows_the_names_of_its_own_class(subject):
    assert "rate" in subject(settings=Given()).fact(Settings).script_keys


def test_without_a_site_there_is_no_line(subject):
    settings = subject(settings=Given(rate=2)).fact(Settings)
    assert settings.where("rate") == Location(key="rate")


@pytest.mark.parametrize(
    ("own", "unused", "used"),
    [
        ("optimizer", "learning_rate", "warmup_steps"),
        ("lr_scheduler", "warmup_steps", "learning_rate"),
    ],
)
def test_what_a_trainer_was_given_ready_made_is_not_taken_from_the_settings(
    subject, own, unused, used
):
    trainer = SimpleNamespace(**{own: object()})
    settings = subject(settings=SimpleNamespace(seed=1), trainer=trainer).fact(Settings)
    assert settings.known(used)
    with pytest.raises(
        Unavailable, match=f"{unused} .* not used: the script brings its own {own}"
    ):
        getattr(settings, unused)

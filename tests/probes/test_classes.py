"""Fields along base classes: texts of our own, and the real classes where they are installed."""

from __future__ import annotations

import dataclasses
import sys

import pytest

from pipedoctor.fact import UNKNOWN
from pipedoctor.facts import Argument, Arguments, Settings
from pipedoctor.probes import classes, installed
from pipedoctor.probes.signatures import FILES

CONFIGS = [name for name in FILES if not name.endswith("Trainer")]


@pytest.mark.parametrize("name", CONFIGS)
def test_the_source_tells_what_importing_the_class_does(name: str) -> None:
    package, _, last = name.partition(".")
    real = getattr(pytest.importorskip(package), last)
    path = installed.file_of(package, *FILES[name].split("/"))
    assert path is not None
    found = classes.read(name, path)
    assert found is not None
    assert found.whole
    declared = {field.name: field for field in dataclasses.fields(real) if field.init}
    assert set(found.fields) == set(declared)
    assert set(found.own) <= set(declared)
    for field, argument in found.fields.items():
        if argument.default is not UNKNOWN:
            one = declared[field]
            default = one.default_factory() if callable(one.default_factory) else one.default
            assert argument.default == default, field


def test_what_a_class_works_out_when_it_is_made_is_no_default() -> None:
    pytest.importorskip("trl")
    path = installed.file_of("trl", "trainer", "sft_config.py")
    assert path is not None
    found = classes.read("trl.SFTConfig", path)
    assert found is not None
    assert found.fields["bf16"].default is UNKNOWN, "it is true unless fp16 is"
    assert found.fields["logging_steps"] == Argument("float", 10)


ROOT = "@dataclass\nclass TrainingArguments:\n    rate: float = 1.0\n    steps: int = 5\n"
BETWEEN = (
    "from transformers import TrainingArguments as T\n"
    "class Base(T):\n    steps: int = 7\n    mine: str = 'a'\n"
    "    def __post_init__(self):\n        self.mine = 'b'\n"
)
LEAF = "from ..shared import Base\nclass Config(Base):\n    length: int = 3\n"


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A transformers and a trl of our own, and a cache of its own."""
    for name, text in {
        "transformers/__init__.py": "",
        "transformers/training_args.py": ROOT,
        "trl/__init__.py": "",
        "trl/shared.py": BETWEEN,
        "trl/trainer/config.py": LEAF,
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def read(library):
    return classes.read("trl.Config", str(library / "trl" / "trainer" / "config.py"))


def test_bases_are_followed_through_relative_imports_and_aliases(library) -> None:
    found = read(library)
    assert found.whole
    assert found.fields == {
        "rate": Argument("float", 1.0),
        "steps": Argument("int", 7),
        "mine": Argument("str"),
        "length": Argument("int", 3),
    }
    assert set(found.own) == {"steps", "mine", "length"}
    assert len(found.files) == 3


def test_a_base_that_changed_is_read_anew(library) -> None:
    read(library)
    (library / "trl" / "shared.py").write_text(BETWEEN.replace("= 7", "= 70"))
    assert read(library).fields["steps"] == Argument("int", 70)


def test_it_is_read_once(library, monkeypatch) -> None:
    first = read(library)
    monkeypatch.setattr(classes, "_walk", lambda *_: pytest.fail("read again"))
    assert read(library) == first


@pytest.mark.parametrize(
    "bases",
    ["Unknown", "module.Class", "Generic[int]", "Config"],
)
def test_a_base_that_can_not_be_found_leaves_it_open(library, bases: str) -> None:
    text = f"class Config({bases}):\n    length: int = 3\n"
    (library / "trl" / "trainer" / "config.py").write_text(text)
    found = read(library)
    assert not found.whole
    assert found.fields == {"length": Argument("int", 3)}


@pytest.mark.parametrize("text", ["class (", "x = 1", "\0"])
def test_a_file_without_the_class_is_none(library, text: str) -> None:
    (library / "trl" / "trainer" / "config.py").write_text(text)
    assert read(library) is None


class OfSeq2Seq(dict):
    """A config whose script makes `Seq2SeqTrainingArguments` of it."""

    arguments_class = "transformers.Seq2SeqTrainingArguments"


def test_settings_know_the_class_that_is_made_of_them(subject) -> None:
    made = subject(settings=OfSeq2Seq(predict_with_generate=True)).fact(Settings)
    assert made.arguments.of == OfSeq2Seq.arguments_class
    assert made.generation_max_length is None
    assert made.where("seed").origin == (
        "default of Seq2SeqTrainingArguments of transformers 5.23.0"
    )


@pytest.mark.parametrize(
    ("version", "default"), [("1.16.0", 1024), ("0.24.0", 1024), ("0.11.4", None)]
)
def test_the_defaults_of_a_release_that_is_not_installed(subject, version, default) -> None:
    """Lengths: `max_length` is young, and the older name is another one."""

    class OfTrl(dict):
        arguments_class = "trl.SFTConfig"

    environment = {"transformers": "4.57.6", "trl": version, "gpus": 0}
    known = subject(settings=OfTrl(), environment=environment).fact(Arguments)
    assert known.owner == f"SFTConfig of trl {version}"
    assert (known.fields["max_length"].default if default else None) == default
    assert ("max_length" in known.fields) == bool(default)


def test_a_class_of_a_package_that_is_missing_has_no_known_defaults(subject) -> None:
    class OfTrl(dict):
        arguments_class = "trl.SFTConfig"

    environment = {"transformers": "5.23.0", "trl": None, "gpus": 0}
    made = subject(settings=OfTrl(learning_rate=1e-4), environment=environment).fact(Settings)
    assert made.learning_rate == 1e-4
    assert not made.known("logging_steps"), "SFTConfig has another default than Trainer"

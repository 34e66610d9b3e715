"""The tables of other tools' arguments: what is in them, and how they are read from source."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pipedoctor.fact import UNKNOWN
from pipedoctor.probes import dialects, installed

REAL = {
    "trl": "dataset_text_field packing_strategy assistant_only_loss max_length lora_r use_peft beta",
    "llamafactory": "stage finetuning_type template cutoff_len lora_target val_size neat_packing",
    "axolotl": "base_model micro_batch_size sequence_len sample_packing lora_target_linear "
    "val_set_size saves_per_epoch liger_rope model_type wandb_project deepspeed special_tokens",
    "accelerate": "compute_environment num_processes mixed_precision deepspeed_config fsdp_config",
}


@pytest.mark.parametrize("tool", list(REAL))
def test_the_keys_that_every_example_of_a_tool_has_are_in_its_table(tool: str) -> None:
    assert set(REAL[tool].split()) <= dialects.load(tool).fields.keys()


def test_no_table_has_what_its_tool_does_not_know() -> None:
    assert "max_seq_length" not in dialects.load("trl").fields
    assert "num_train_epochs" not in dialects.load("axolotl").fields
    assert "max_seq_length" not in dialects.load("llamafactory").fields


@pytest.mark.parametrize("tool", ["trl", "accelerate"])
def test_the_table_is_what_the_source_of_its_release_says(tool: str) -> None:
    init = installed.file_of(tool, "__init__.py")
    with open(dialects.PATH, encoding="utf-8") as file:
        row = json.load(file)[tool]
    if init is None or installed.versions([tool])[tool] != row["version"]:
        pytest.skip(f"{tool} {row['version']} is not installed")
    read = dialects.read(tool, os.path.dirname(init))
    assert read == dict(dialects.load(tool).classes)


DATACLASS = '''
from dataclasses import dataclass, field

@dataclass
class ModelArguments(Base):
    """What they are."""
    LIMIT: ClassVar[int] = 3
    name: str = field(metadata={"help": "x"})
    rank: int = field(default=8, metadata={})
    made: list = field(default_factory=list)
    plain: float | None = None
    def method(self): ...
'''
PYDANTIC = """
class Part(BaseModel):
    rate: float | None = Field(default=0.1, json_schema_extra={})
    kind: Names | None = Names.ADAMW_TORCH

class AxolotlInputConfig(Part, Remapped, BaseModel):
    own: int = 1
    type_of: str | None = Field(default=None, alias="model_type")

class Other(BaseModel):
    stranger: int = 1

class LigerArgs(BaseModel):
    liger: bool = False

class Remapped(BaseModel):
    rate: float = 0.2
"""


def test_what_a_dataclass_declares(tmp_path: Path) -> None:
    for name in dialects.SOURCES["llamafactory"]:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(DATACLASS if name.endswith("model_args.py") else "")
    fields = dialects.read("llamafactory", str(tmp_path))["ModelArguments"]
    assert list(fields) == ["name", "rank", "made", "plain"]
    assert fields["rank"].default == 8
    assert fields["plain"].default is None
    assert fields["name"].default is UNKNOWN
    assert fields["made"].default is UNKNOWN


def test_what_a_model_of_pydantic_declares_with_its_bases(tmp_path: Path) -> None:
    folder = tmp_path / "utils" / "schemas"
    folder.mkdir(parents=True)
    (folder / "config.py").write_text(PYDANTIC)
    fields = dialects.read("axolotl", str(tmp_path))["AxolotlInputConfig"]
    assert set(fields) == {"rate", "kind", "own", "type_of", "model_type", "liger"}
    assert fields["rate"].default == 0.1, "the first base counts, as in Python"
    assert fields["kind"].default == "adamw_torch"


def test_an_installed_release_is_read_and_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in dialects.SOURCES["llamafactory"]:
        path = tmp_path / "llamafactory" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(DATACLASS if name.endswith("model_args.py") else "")
    (tmp_path / "llamafactory" / "__init__.py").write_text("raise SystemExit")
    (tmp_path / "llamafactory-0.1.0.dist-info").mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.syspath_prepend(tmp_path)
    first = dialects.load("llamafactory")
    assert (first.version, first.installed) == ("0.1.0", True)
    assert set(first.fields) == {"name", "rank", "made", "plain"}
    monkeypatch.setattr(dialects, "read", None)
    assert dialects.load("llamafactory").fields["rank"].default == 8


def test_a_source_that_is_broken_falls_back_on_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in dialects.SOURCES["llamafactory"]:
        path = tmp_path / "llamafactory" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("class (")
    (tmp_path / "llamafactory" / "__init__.py").touch()
    (tmp_path / "llamafactory-0.1.0.dist-info").mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.syspath_prepend(tmp_path)
    table = dialects.load("llamafactory")
    assert (table.version, table.installed) == ("0.9.5", False)


def test_a_release_enters_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "axolotl" / "utils" / "schemas"
    folder.mkdir(parents=True)
    (folder / "config.py").write_text(PYDANTIC)
    about = tmp_path / "axolotl-9.9.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Requires-Dist: transformers<=5.7.1,>=4\n")
    shipped = Path(dialects.PATH).read_text()
    path = tmp_path / "dialects.json"
    path.write_text(shipped)
    monkeypatch.setattr(dialects, "PATH", str(path))
    dialects.main([f"axolotl=9.9=2026-11={tmp_path / 'axolotl'}"])
    assert "axolotl 9.9: 6 fields" in capsys.readouterr().out
    written = json.loads(path.read_text())
    assert written["axolotl"]["newest"] == "5.7.1"
    assert written["axolotl"]["date"] == "2026-11"
    assert {**written, "axolotl": 0} == {**json.loads(shipped), "axolotl": 0}

"""The example configs of other tools: healthy ones are quiet, of broken ones the cause is first."""

from __future__ import annotations

from pathlib import Path

import pytest
from configs import codes, examined

ROOT = Path(__file__).parents[2]
FOLDER = Path("examples/dialects")


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


HEALTHY = ["trl_sft", "llamafactory_lora", "axolotl_lora", "with_deepspeed"]
BROKEN = {
    "trl_sft_broken": ("HYP006", "max_seq_length", "13", "max_length"),
    "llamafactory_lora_broken": ("HYP006", "max_seq_length", "12", "cutoff_len"),
    "axolotl_lora_broken": ("HYP006", "num_train_epochs", "18", "num_epochs"),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_config_is_quiet(name: str) -> None:
    report = examined(FOLDER / f"{name}.yaml")
    assert codes(report) == []
    assert report.problems == ()


@pytest.mark.parametrize("name", BROKEN)
def test_of_a_broken_config_the_cause_is_named_first(name: str) -> None:
    code, key, line, instead = BROKEN[name]
    first = examined(FOLDER / f"{name}.yaml").entries[0]
    assert first.rule.code == code
    assert (first.finding.where.key, str(first.finding.where.line)) == (key, line)
    assert f'"{instead}"' in first.finding.remedy


def test_the_rest_of_what_is_broken_is_told_in_the_words_of_the_tool() -> None:
    told = examined(FOLDER / "axolotl_lora_broken.yaml").entries
    assert [entry.rule.code for entry in told] == ["HYP006", "HYP003"]
    assert told[1].finding.where.line == 20
    assert codes(examined(FOLDER / "trl_sft_broken.yaml")) == ["HYP006", "HYP002"]


def test_the_config_of_deepspeed_that_disagrees() -> None:
    (entry,) = examined(FOLDER / "with_deepspeed_broken.yaml").entries
    where = entry.finding.where
    assert (entry.rule.code, where.key, where.line) == ("ENV001", "optimizer.params.lr", 21)
    assert str(where.file).endswith("ds_zero2_broken.json")


def test_the_config_of_accelerate() -> None:
    trl = FOLDER / "trl_sft.yaml"
    assert codes(examined(trl, beside=[str(FOLDER / "accelerate.yaml")])) == []
    report = examined(trl, beside=[str(FOLDER / "accelerate_broken.yaml")])
    assert codes(report) == ["ENV001", "ENV001"]
    assert report.entries[0].finding.where.line == 4

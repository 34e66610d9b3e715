"""What TRL's own parser makes of a config is what is told of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from configs import codes, examined, found, settings_of, write

from pipedoctor.targets import resolve

TEXT = """\
model_name_or_path: m
dataset_name: d
dataset_text_field: text
learning_rate: 2e-5
warmup_steps: 1e-1
max_steps: "7"
packing: "true"
gradient_checkpointing: "no"
bf16: false
use_cpu: true
use_peft: true
lora_r: 4
env: {PIPEDOCTOR_TEST: "1"}
"""


@pytest.fixture
def parse(monkeypatch: pytest.MonkeyPatch):
    trl = pytest.importorskip("trl")
    monkeypatch.setenv("PIPEDOCTOR_TEST", "0")  # the parser sets it, and it is put back
    classes = (trl.ScriptArguments, trl.SFTConfig, trl.ModelConfig, trl.DatasetMixtureConfig)
    return lambda path: trl.TrlParser(classes).parse_args_and_config(["--config", path])


def test_values_and_defaults_are_those_of_the_parser(tmp_path: Path, parse) -> None:
    path = write(tmp_path, TEXT + f"output_dir: {tmp_path / 'out'}\n")
    _, training, model, _ = parse(path)
    settings = settings_of(resolve(path))
    for name in (
        "learning_rate",
        "warmup_steps",
        "max_steps",
        "packing",
        "gradient_checkpointing",
        "bf16",
        "logging_steps",
        "per_device_train_batch_size",
        "max_length",
        "weight_decay",
        "packing_strategy",
    ):
        told, real = getattr(settings, name), getattr(training, name)
        assert (type(told), told) == (type(real), real) or told == real, name
    assert (settings.lora_r, settings.use_peft) == (model.lora_r, model.use_peft)


def test_it_stops_where_that_is_told(tmp_path: Path, parse) -> None:
    path = write(tmp_path, TEXT + "max_seq_length: 128\n")
    with pytest.raises(ValueError, match="Unknown arguments from config file"):
        parse(path)
    assert "HYP006" in codes(examined(path))


def test_a_word_for_a_number_stops_it(tmp_path: Path, parse) -> None:
    path = write(tmp_path, TEXT.replace("2e-5", "fast"))
    with pytest.raises(SystemExit):
        parse(path)
    assert "TRL stops at it" in found(examined(path))["HYP005"][0].message

"""A command that starts a training becomes a target: its options, and the configs it names."""

from __future__ import annotations

from pathlib import Path

import pytest
from configs import codes, examined, found, settings_of, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipedoctor.targets import Target, TargetError, resolve

GLUE = "--model_name_or_path bert --task_name mrpc --output_dir out"
TRL = "model_name_or_path: m\ndataset_name: d\nuse_peft: true\nlearning_rate: 2e-4\n"
AXOLOTL = "base_model: m\nmicro_batch_size: 1\nlearning_rate: 2e-4\nadapter: lora\n"
FACTORY = "stage: sft\ntemplate: llama3\ndataset: d\nlearning_rate: 2e-4\n"


def command(text: str) -> Target:
    return resolve(None, text.split())


@pytest.mark.parametrize(
    "launcher",
    [
        "python",
        "python3.11 -u",
        "CUDA_VISIBLE_DEVICES=0 python",
        "uv run python",
        "accelerate launch --num_processes 2 --mixed_precision=bf16",
        "torchrun --nproc_per_node 4 --nnodes=1",
        "python -m torch.distributed.run --nproc_per_node 2",
        "deepspeed --num_gpus 8",
    ],
)
def test_what_a_launcher_starts(launcher: str) -> None:
    target = command(f"{launcher} path/run_glue.py {GLUE} --learning_rate 5e-5 --fp16")
    assert target.name == "path/run_glue.py"
    assert target.subject == ("run_glue arguments",)
    stated = settings_of(target)
    assert (stated.learning_rate, stated.fp16, stated.task_name) == (5e-5, True, "mrpc")
    assert stated.where("learning_rate").origin == "command line"
    assert stated.where("learning_rate").source == "--learning_rate 5e-5"
    assert stated.entry("learning_rate", 2e-5) == "--learning_rate 2.0e-5"


@pytest.mark.parametrize(
    ("option", "name", "value"),
    [
        ("--warmup-steps 10", "warmup_steps", 10.0),
        ("--max_steps -1", "max_steps", -1),
        ("--max_steps=5", "max_steps", 5),
        ("--bf16 false", "bf16", False),
        ("--no_remove_unused_columns", "remove_unused_columns", False),
        ("--report_to wandb tensorboard", "report_to", ["wandb", "tensorboard"]),
        ("--lora_r 16", "lora_r", 16),
        ("--run_name 12", "run_name", "12"),
        ("--learning_rate fast", "learning_rate", "fast"),
    ],
)
def test_values_as_argparse_makes_them(option: str, name: str, value: object) -> None:
    stated = command(f"python run_glue.py {GLUE} {option}").parts["settings"]
    assert stated[name] == value
    assert type(stated[name]) is type(value)


def test_a_text_that_is_no_number_is_told(tmp_path: Path) -> None:
    told = found(examined(None, *f"python run_glue.py {GLUE} --max_steps many".split()))
    assert "max_steps" in told["HYP005"][0].message


def test_an_option_that_is_stated_twice() -> None:
    target = command(f"python run_glue.py {GLUE} --seed 1 --seed 2")
    assert target.parts["settings"]["seed"] == 2
    assert target.problems == ("--seed is stated twice, and the last one counts",)


def test_a_beginning_that_fits_one_option_is_that_option() -> None:
    words = f"python run_glue.py {GLUE} --gradient_acc 4"
    assert settings_of(command(words)).gradient_accumulation_steps == 4
    (finding,) = found(examined(None, *words.split()))["HYP007"]
    assert finding.remedy == "write --gradient_accumulation_steps"
    assert str(finding.severity) == "note"


def test_a_beginning_that_fits_several_stops_the_run() -> None:
    told = found(examined(None, *f"python run_glue.py {GLUE} --lr 1e-4".split()))
    (finding,) = told["HYP007"]
    assert "--lr is the beginning of 2 options" in finding.message
    assert finding.remedy == "write --learning_rate 0.0001"
    assert "HYP006" not in told


def test_what_other_scripts_take_is_not_guessed() -> None:
    words = "torchrun train.py --learning_rate 1e-3 --use_peft --lora_r 8 --lr 3 --mine x"
    assert command(words).subject == ("training arguments",)
    assert "HYP007" not in codes(examined(None, *words.split()))


def test_a_script_of_the_user_is_a_script(tmp_path: Path) -> None:
    path = write(tmp_path, "print(1)\n", "train.py")
    target = command(f"accelerate launch {path} --lr 1e-3")
    assert (target.kind, target.arguments) == ("script", ("--lr", "1e-3"))


def test_a_script_that_is_given_a_config(tmp_path: Path) -> None:
    path = write(tmp_path, '{"learning_rate": "2e-5", "output_dir": "o"}', "c.json")
    report = examined(None, "python", "run_clm.py", path)
    assert report.subject[0] == "run_clm arguments"
    assert codes(report) == ["HYP005"]


def test_options_win_over_the_config_of_trl(tmp_path: Path) -> None:
    path = write(tmp_path, TRL)
    words = ["trl", "sft", "--config", path]
    assert codes(examined(None, *words)) == []
    (finding,) = found(examined(None, *words, "--learning_rate", "1e-5"))["HYP002"]
    assert finding.remedy == "set --learning_rate 0.0002"
    assert finding.where.origin == "command line"


def test_the_command_of_trl_says_which_config_it_is() -> None:
    target = command("trl dpo --dataset_name d --model_name_or_path m")
    assert target.name == "trl dpo"
    assert target.subject[0] == "trl dpo arguments"
    assert settings_of(target).learning_rate == 1e-6


@pytest.mark.parametrize("words", ["llamafactory-cli train", "lmf train"])
def test_llamafactory_takes_pairs(tmp_path: Path, words: str) -> None:
    path = write(tmp_path, FACTORY)
    target = resolve(None, [*words.split(), path, "learning_rate=1e-5", "bf16=true"])
    stated = settings_of(target)
    assert (stated.learning_rate, stated.bf16) == (1e-5, True)
    assert "LLaMA-Factory" in target.subject[0]


@pytest.mark.parametrize("words", ["axolotl train", "accelerate launch -m axolotl.cli.train"])
def test_axolotl_takes_its_own_names(tmp_path: Path, words: str) -> None:
    path = write(tmp_path, AXOLOTL)
    target = resolve(
        None, [*words.split(), path, "--micro-batch-size=4", "--learning-rate", "1e-5"]
    )
    stated = settings_of(target)
    assert (stated.per_device_train_batch_size, stated.learning_rate) == (4, 1e-5)


@pytest.mark.parametrize(
    "text",
    [
        "ls -la",
        "python -c 1",
        "python -m http.server",
        "trl env",
        "axolotl inference c.yml",
        "--",
        "x" * 999,
    ],
)
def test_what_starts_no_training_is_refused(text: str) -> None:
    with pytest.raises(TargetError):
        command(text)


def test_an_endless_command_is_refused() -> None:
    with pytest.raises(TargetError, match="20,000 words"):
        resolve(None, ["x"] * 20_000)


WORDS = st.sampled_from(
    [
        "python",
        "accelerate",
        "launch",
        "torchrun",
        "-m",
        "run_glue.py",
        "train.py",
        "trl",
        "sft",
        "dpo",
        "axolotl",
        "train",
        "--lr",
        "1e-4",
        "--learning_rate",
        "--learning_rate=nan",
        "--max_steps",
        "-1",
        "--fp16",
        "--no_fp16",
        "--eval",
        "--config_file",
        "--config",
        "--accelerate_config",
        "zero2",
        "--a=b",
        "--=",
        "--",
        "-",
        "=",
        "key=value",
        "llamafactory-cli",
        "ACCELERATE=1",
        "--output_dir",
        "--lora_r",
        "--warmup",
        "1e999",
        "\x00",
        "é",
    ]
)


@given(st.lists(st.one_of(WORDS, st.text(max_size=8)), max_size=12))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_words_are_a_target_or_one_clear_sentence(words: list[str]) -> None:
    try:
        target = resolve(None, words)
    except TargetError as error:
        refused = str(error)
    else:
        refused = ""
        assert target.kind == "config"
        settings_of(target, transformers="5.23.0")
    assert refused.isprintable()

"""The words of a launcher tell how many processes train, and checks of several of them hear it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from configs import examined, found, write
from hypothesis import given
from hypothesis import strategies as st
from pipelines import pipeline

from pipedoctor.fact import Unavailable
from pipedoctor.facts import Distribution, Schedule
from pipedoctor.process.parent import Task, _request
from pipedoctor.targets import resolve
from pipedoctor.targets.launching import launch

SPLIT = """from transformers import AutoModelForCausalLM, Trainer

model = AutoModelForCausalLM.from_pretrained("facebook/opt-350m", device_map="auto")
Trainer(model, train_dataset=[1]).train()
"""


@pytest.mark.parametrize(
    ("words", "processes"),
    [
        ("torchrun --nproc_per_node 4 train.py", 4),
        ("torchrun --nproc-per-node=4 --nnodes 2 train.py", 8),
        ("torchrun --nproc_per_node 4 --nnodes 2:2 train.py --nproc_per_node 9", 8),
        ("torchrun --standalone train.py", 1),
        ("python -m torch.distributed.run --nproc_per_node 2 -m trl.scripts.sft", 2),
        ("CUDA_VISIBLE_DEVICES=0,1 /opt/bin/accelerate launch --num_processes 2 train.py", 2),
        ("deepspeed --num_gpus 8 --num_nodes=2 train.py --deepspeed zero2.json", 16),
    ],
)
def test_what_a_launcher_states(words: str, processes: int) -> None:
    assert launch(words.split())["processes"] == processes


@pytest.mark.parametrize(
    "words",
    [
        "python train.py --nproc_per_node 4",
        "torchrun --nproc_per_node gpu train.py",
        "torchrun --nnodes 1:4 --nproc_per_node 8 train.py",
        "accelerate launch train.py --num_processes 4",
        "deepspeed train.py",
        "torchrun --nproc_per_node 0 train.py",
        "torchrun --nproc_per_node",
        "accelerate launch --num_processes 8 --use_megatron_lm train.py",
    ],
)
def test_what_hangs_on_the_machine_is_not_guessed(words: str) -> None:
    assert launch(words.split()) == {}


@pytest.mark.parametrize(
    ("words", "config", "wrapped"),
    [
        ("--multi_gpu", {}, True),
        ("--use_fsdp", {}, False),
        ("--mixed_precision bf16", {}, None),
        ("", {"distributed_type": "MULTI_GPU"}, True),
        ("", {"distributed_type": "DEEPSPEED"}, False),
    ],
)
def test_whether_each_process_holds_the_whole_model(
    words: str, config: dict[str, str], wrapped: bool | None
) -> None:
    command = f"accelerate launch --num_processes 2 {words} train.py".split()
    told = launch(command, {"accelerate": config})
    assert told == {"launcher": "accelerate", "processes": 2, "wrapped": wrapped}
    fact = pipeline(launch=told).fact(Distribution)
    if wrapped is None:
        with pytest.raises(Unavailable, match="accelerate launch reads"):
            _ = fact.wrapped
    else:
        assert fact.wrapped is wrapped


@given(
    st.lists(st.sampled_from(["torchrun", "--nproc_per_node", "--nnodes=", "-m", "1:", "²", "3"]))
)
def test_no_words_are_too_strange(words: list[str]) -> None:
    assert launch(words).get("processes", 1) >= 1


@pytest.mark.parametrize(
    ("words", "processes"),
    [
        ("torchrun --nproc_per_node 4", 4),
        ("accelerate launch --num_processes 2", 2),
        ("accelerate launch --config_file {config}", 8),
        ("torchrun --nproc_per_node 1", None),
        ("python", None),
    ],
)
def test_a_model_that_is_split_where_several_processes_train(
    tmp_path: Path, words: str, processes: int | None
) -> None:
    stated = {
        "compute_environment": "LOCAL_MACHINE",
        "distributed_type": "MULTI_GPU",
        "num_processes": 8,
    }
    config = write(tmp_path, json.dumps(stated), "accelerate.json")
    path = write(tmp_path, SPLIT, "train.py")
    told = found(examined(None, *words.format(config=config).split(), path))
    if processes is None:
        assert "ENV003" not in told
    else:
        assert told["ENV003"][0].evidence == {"device_map": "auto", "processes": processes}


@pytest.mark.parametrize(("each", "steps"), [("1", 39), ("4", 12)])
def test_the_steps_are_those_of_all_processes(each: str, steps: int) -> None:
    words = f"torchrun --nproc_per_node {each} run_glue.py --output_dir out".split()
    target = resolve(None, words)
    parts = {**target.parts, "train_data": range(100)}
    schedule = pipeline(**parts).fact(Schedule)
    assert (schedule.total_steps, schedule.batch_size) == (steps, 8 * int(each))
    told = str(schedule.origin.origin)
    assert told.endswith("in 4 processes" if each == "4" else "number of rows")


def test_a_script_whose_launcher_reads_a_key_that_is_none(tmp_path: Path) -> None:
    stated = {"compute_environment": "LOCAL_MACHINE", "num_procesess": 8}
    config = write(tmp_path, json.dumps(stated), "accelerate.json")
    path = write(tmp_path, "print(1)\n", "train.py")
    told = found(examined(None, "accelerate", "launch", "--config_file", config, path))
    assert "num_procesess" in told["ENV011"][0].message


def test_the_process_that_runs_the_script_hears_of_the_launcher(tmp_path: Path) -> None:
    from pipedoctor.options import Options

    path = write(tmp_path, "print(1)\n", "train.py")
    target = resolve(None, ["torchrun", "--nproc_per_node", "4", path])
    request = _request(target, Task([], [], ()), Options())
    assert request["stated"]["launch"]["processes"] == 4
    assert json.dumps(request["stated"])

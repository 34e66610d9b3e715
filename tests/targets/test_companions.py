"""The configs beside a training config: found, placed, compared."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from configs import codes, examined, found, write
from hypothesis import given, settings
from hypothesis import strategies as st

from pipedoctor.targets import TargetError, resolve

TRAINING = {"learning_rate": 2e-5, "per_device_train_batch_size": 4, "output_dir": "out"}


def training(folder: Path, **more: object) -> str:
    return write(folder, json.dumps(TRAINING | more), "train.json")


def deepspeed(folder: Path, **more: object) -> str:
    text = json.dumps({"zero_optimization": {"stage": 2}, **more}, indent=1)
    return write(folder, text, "ds.json")


def test_the_config_that_the_training_config_names_is_read(tmp_path: Path) -> None:
    ds = deepspeed(tmp_path, train_micro_batch_size_per_gpu=8)
    (finding,) = found(examined(training(tmp_path, deepspeed=ds)))["ENV001"]
    assert (finding.where.file, finding.where.line) == (ds, 5)


def test_so_is_one_that_is_named_beside_it(tmp_path: Path) -> None:
    ds = deepspeed(tmp_path, train_micro_batch_size_per_gpu=8)
    assert codes(examined(training(tmp_path), beside=[ds])) == ["ENV001"]


def test_one_that_stands_in_the_training_config_itself(tmp_path: Path) -> None:
    inline = {"zero_optimization": {"stage": 2}, "train_micro_batch_size_per_gpu": 8}
    (finding,) = found(examined(training(tmp_path, deepspeed=inline)))["ENV001"]
    assert finding.where.key == "deepspeed"


def test_one_that_accelerate_names(tmp_path: Path) -> None:
    ds = deepspeed(tmp_path, train_micro_batch_size_per_gpu=8)
    text = f"compute_environment: X\ndeepspeed_config:\n  deepspeed_config_file: {ds}\n"
    report = examined(training(tmp_path), beside=[write(tmp_path, text, "acc.yaml")])
    assert codes(report) == ["ENV001"]


def test_keys_within_keys_have_their_own_lines(tmp_path: Path) -> None:
    ds = deepspeed(
        tmp_path,
        scheduler={"params": {"lr": 1}},
        optimizer={"type": "AdamW", "params": {"betas": "auto", "lr": 1e-3}},
    )
    (finding,) = found(examined(training(tmp_path), beside=[ds]))["ENV001"]
    assert finding.where.key == "optimizer.params.lr"
    assert finding.where.source == '"lr": 0.001'
    assert finding.where.line == 14


def test_one_that_is_missing_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    target = resolve(training(tmp_path, deepspeed="nowhere.json"))
    assert "nowhere.json" in target.problems[0]


def test_what_is_no_such_config_is_refused_beside_one(tmp_path: Path) -> None:
    path = training(tmp_path)
    with pytest.raises(TargetError, match="no config of accelerate or DeepSpeed"):
        resolve(path, beside=[path])


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.just("auto"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["params", "lr", "betas", "enabled", "stage", "gradient_clipping", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
KEYS = st.sampled_from(
    [
        "train_batch_size",
        "train_micro_batch_size_per_gpu",
        "gradient_accumulation_steps",
        "gradient_clipping",
        "optimizer",
        "scheduler",
        "fp16",
        "bf16",
        "deepspeed_config",
        "mixed_precision",
        "num_processes",
        "compute_environment",
    ]
)


@given(st.dictionaries(KEYS, JSON, max_size=8), st.sampled_from(["ds", "acc"]))
@settings(max_examples=60, deadline=None)
def test_any_content_beside_a_config_is_examined_without_a_crash(
    tmp_path_factory: pytest.TempPathFactory, content: dict[str, object], kind: str
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    telling = {"zero_optimization": {}} if kind == "ds" else {"compute_environment": "X"}
    beside = write(folder, json.dumps({**telling, **content}), "beside.json")
    examined(training(folder), beside=[beside])

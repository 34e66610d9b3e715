"""Checkpoints of DeepSpeed's layout, as its documents and sources tell it; torch alone wrote these."""

from __future__ import annotations

import json
import sys
from collections import OrderedDict
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pipedoctor import registry
from pipedoctor.checkpoints.contents import Verdict
from pipedoctor.examination import Examination
from pipedoctor.fact import Cost
from pipedoctor.options import Options
from pipedoctor.probes.checkpoint import read_checkpoint
from pipedoctor.report import Status
from pipedoctor.targets import checkpoint

TAG = "global_step4"
OPTIMIZER = "bf16_zero_pp_rank_{}_mp_rank_00_optim_states.pt"


@pytest.fixture(scope="module")
def classes() -> Iterator[dict[str, Any]]:
    """Classes by the names of those that DeepSpeed's files hold."""
    pytest.importorskip("torch")
    made: dict[str, Any] = {}
    homes = {
        "LossScaler": "deepspeed.runtime.fp16.loss_scaler",
        "fragment_address": "deepspeed.utils.tensor_fragment",
        "ZeroStageEnum": "deepspeed.runtime.zero.config",
    }
    known = dict(sys.modules)
    for name, home in homes.items():
        base: Any = IntEnum if name == "ZeroStageEnum" else object
        made[name] = (
            IntEnum(name, {"gradients": 2, "weights": 3}, module=home)
            if base is IntEnum
            else type(name, (), {"__module__": home})
        )
        for depth in range(1, home.count(".") + 2):
            path = ".".join(home.split(".")[:depth])
            sys.modules.setdefault(path, ModuleType(path))
        setattr(sys.modules[home], name, made[name])
    yield made
    for name in set(sys.modules) - set(known):
        if name.partition(".")[0] == "deepspeed":
            del sys.modules[name]


def saved(folder: Path, classes: dict[str, Any], stage: int = 2, processes: int = 2) -> Path:
    """Write one save of some processes."""
    import torch

    room = folder / TAG
    room.mkdir(parents=True)
    weights = OrderedDict(w=torch.ones(4, 3), b=torch.ones(3))
    shapes = OrderedDict((name, tensor.shape) for name, tensor in weights.items())
    state = {
        "module": weights
        if stage < 3
        else OrderedDict((name, torch.empty(0)) for name in weights),
        "buffer_names": [],
        "param_shapes": [shapes],
        "shared_params": {},
        "ds_version": "0.17.5",
    }
    if stage < 3:
        torch.save(state, room / "mp_rank_00_model_states.pt")
    for rank in range(processes):
        if stage == 3:
            torch.save(state, room / f"zero_pp_rank_{rank}_mp_rank_00_model_states.pt")
        piece, scaler = torch.ones(8), classes["LossScaler"]()
        scaler.cur_scale = 1.0
        moments = {"state": {0: {"exp_avg": piece, "exp_avg_sq": piece}}, "param_groups": []}
        optimizer = {
            "loss_scaler": scaler,
            "base_optimizer_state": moments,
            "single_partition_of_fp32_groups": [piece],
            "zero_stage": classes["ZeroStageEnum"](stage),
            "partition_count": [processes] if stage < 3 else processes,
            "param_slice_mappings": [OrderedDict(w=classes["fragment_address"]())],
        }
        torch.save({"optimizer_state_dict": optimizer}, room / OPTIMIZER.format(rank))
    (folder / "latest").write_text(TAG)
    (folder / "zero_to_fp32.py").write_text("# the script\n")
    return folder


def as_trainers(folder: Path) -> Path:
    import torch

    (folder / "trainer_state.json").write_text(json.dumps({"global_step": 4, "max_steps": 8}))
    (folder / "config.json").write_text(json.dumps({"model_type": "bert"}))
    torch.save({"last_epoch": 4}, folder / "scheduler.pt")
    return folder


def told(path: Path) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """The messages of what is found, by their codes, and the ways to load it."""
    report = Examination(
        checkpoint.read(str(path)),
        registry.load(),
        Options(depth=Cost.FILES),
        figures=("Loading",),
    ).run()
    assert report.count(Status.CRASHED) == 0, report
    found = {o.rule.code: o.findings[0].message for o in report.outcomes if o.findings}
    return found, report.figures["Loading"][0]["ways"]


@pytest.mark.parametrize("stage", [2, 3])
@pytest.mark.parametrize("trainers", [False, True], ids=["alone", "of a Trainer"])
def test_a_whole_one_is_quiet(
    tmp_path: Path, classes: dict[str, Any], stage: int, trainers: bool
) -> None:
    folder = saved(tmp_path / "out", classes, stage)
    if trainers:
        as_trainers(folder)
    held = read_checkpoint(str(folder))
    assert held.kind == ("trainer" if trainers else "deepspeed")
    assert (held.zero, held.tag) == ((TAG,), TAG)
    verdicts = {file.name: file.contents.verdict for file in held.files}
    assert verdicts[f"{TAG}/{OPTIMIZER.format(0)}"] is Verdict.NEEDS_TRUST
    assert Verdict.UNSAFE not in verdicts.values()
    found, ways = told(folder)
    assert found == {}
    (script,) = [way["code"] for way in ways if "zero_to_fp32" in way["code"]]
    assert script == f"python zero_to_fp32.py {folder} out"


def test_the_weights_are_listed_and_the_optimizer_is_none(
    tmp_path: Path, classes: dict[str, Any]
) -> None:
    held = read_checkpoint(str(saved(tmp_path / "out", classes)))
    assert set(held.tensors) == {"module.w", "module.b"}
    assert held.parameters == 15


def test_the_folder_of_one_save(tmp_path: Path, classes: dict[str, Any]) -> None:
    folder = saved(tmp_path / "out", classes)
    found, ways = told(folder / TAG)
    assert found == {}
    assert ways[0]["code"] == f"python zero_to_fp32.py {folder} out -t {TAG}"


def test_latest_names_a_folder_that_is_not_there(tmp_path: Path, classes: dict[str, Any]) -> None:
    folder = saved(tmp_path / "out", classes)
    (folder / "latest").write_text("global_step6\n")
    found, ways = told(folder)
    assert list(found) == ["CKP043"]
    assert "latest names global_step6, and there is only global_step4" in found["CKP043"]
    assert ways[0]["code"].endswith(f"-t {TAG}")
    found, _ = told(as_trainers(folder))
    assert list(found) == ["CKP050"]


@pytest.mark.parametrize("text", ["", "../other", "a\nb", "\udcff"])
def test_latest_that_names_no_folder_is_not_followed(
    tmp_path: Path, classes: dict[str, Any], text: str
) -> None:
    folder = saved(tmp_path / "out", classes)
    (folder / "latest").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert not read_checkpoint(str(folder)).known("tag")
    assert told(folder)[0] == {}


def test_a_process_whose_optimizer_is_missing(tmp_path: Path, classes: dict[str, Any]) -> None:
    for stage in (2, 3):
        folder = saved(tmp_path / str(stage), classes, stage)
        (folder / TAG / OPTIMIZER.format(1)).unlink()
        found, _ = told(folder)
        assert list(found) == ["CKP034"]
        assert "saved by 2 processes, and the optimizer of 1 is there" in found["CKP034"]

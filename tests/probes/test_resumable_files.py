"""Which files keep a training from going on, which finding tells of them, and what is advised."""

from __future__ import annotations

import pickle
import struct
from pathlib import Path
from typing import Any

import pytest
from checkpoints.examined import findings

from pipedoctor.checkpoints import resumption
from pipedoctor.facts import Resumable
from pipedoctor.probes import described_checkpoint, resumable, run_folder
from pipedoctor_checks.checkpoints.broken_checkpoint_taken_on_resume import (
    broken_checkpoint_taken_on_resume as check,
)

WEIGHTS = {"tensors": {"a.weight": ("F32", (8, 4)), "b.weight": ("F32", (4, 4))}}
GROUP = {"param_groups.0.lr": 0.1, "param_groups.0.betas": (0.9, 0.999)}
CUT = {"flaws": [("truncated", "it was cut off")], "verdict": "malformed"}


def moments(*shapes: tuple[int, ...], **values: Any) -> dict[str, Any]:
    """An optimizer.pt that remembers parameters of these shapes."""
    tensors = {f"state.{n}.exp_avg": ("F32", shape) for n, shape in enumerate(shapes)}
    return {"tensors": tensors, "values": {**GROUP, **values}, "size": 100}


def held(**files: Any) -> Resumable:
    """A checkpoint that is looked at by itself; None takes a file away."""
    listed = {
        "model.safetensors": WEIGHTS,
        "optimizer.pt": moments((8, 4), (4, 4)),
        "scheduler.pt": {"values": {"last_epoch": 3}, "size": 100},
        "rng_state.pth": {"size": 100},
    }
    changed = {**listed, **{name.replace("__", "."): data for name, data in files.items()}}
    entry = {
        "path": "out/checkpoint-4",
        "kind": "trainer",
        "config": {"model_type": "bert"},
        "state": {"global_step": 4},
        "beside": {"trainer_state.json": 9, "config.json": 9},
        "files": {name: data for name, data in changed.items() if data is not None},
    }
    found = described_checkpoint.described(entry)
    names = frozenset(file.name for file in found.files)
    return resumable.of(run_folder.saved_as(found.path, found), names)


def remedy(one: Resumable) -> str:
    (finding,) = check.__wrapped__(one) if hasattr(check, "__wrapped__") else check(one)
    return finding.remedy


def test_a_whole_one_has_no_fault() -> None:
    one = held()
    assert (one.saved.broken, one.saved.faulty, one.told) == ("", frozenset(), False)


@pytest.mark.parametrize(
    ("shapes", "values", "broken"),
    [
        (((8, 4), (4, 4)), {}, False),
        (((16, 4), (2, 2)), {}, True),
        (((16, 4), (4, 4)), {}, False),  # no more than half: it may have parameters of its own
        (((16, 4), (2, 2)), {"param_groups.0.rank": 8}, False),  # its gradients are projected
        ((), {}, False),
    ],
)
def test_an_optimizer_of_other_weights(
    shapes: tuple[tuple[int, ...], ...], values: dict[str, Any], broken: bool
) -> None:
    one = held(optimizer__pt=moments(*shapes, **values))
    assert not one.saved.broken
    said = resumption.of_other_weights(one.saved.checkpoint)
    assert bool(said) is broken
    assert ("2 of the 2 parameters that it remembers have shapes that no tensor" in said) is broken


def test_models_of_one_width_share_many_shapes() -> None:
    odd = ((16, 4), (16,), (16, 16))
    few = held(optimizer__pt=moments(*odd[:2], *[(4, 4)] * 7)).saved
    many = held(optimizer__pt=moments(*odd, *[(4, 4)] * 7)).saved
    assert not few.odd
    assert "3 of the 10 parameters that it remembers have shapes that no tensor has" in many.odd


def test_what_stands_beside_a_broken_one_is_pointed_at(tmp_path: Path) -> None:
    safetensors = struct.pack("<Q", 2) + b"{}"
    for step in (4, 8, 12):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(safetensors)
        (folder / "rng_state.pth").write_bytes(pickle.dumps({}, 2))
        if step < 12:
            (folder / "trainer_state.json").write_text(f'{{"global_step": {step}}}')
    found = findings(tmp_path / "checkpoint-12")["CKP050"]
    assert f'resume from "{tmp_path}/checkpoint-8", the newest that is whole' in found.remedy


def test_what_is_no_state_of_an_optimizer() -> None:
    one = held(optimizer__pt={"values": {"epoch": 3, "model.x": 1}, "size": 100})
    assert "it holds epoch, model, and neither state nor param_groups" in one.saved.broken


@pytest.mark.parametrize(
    ("files", "advice"),
    [
        (
            {"optimizer__pt": CUT},
            (
                "rm out/checkpoint-4/optimizer.pt out/checkpoint-4/scheduler.pt: a training then goes "
                "on from its weights, with a fresh optimizer and schedule"
            ),
        ),
        (
            {"rng_state__pth": {"size": 0}},
            (
                "rm out/checkpoint-4/rng_state.pth: a training then goes on from its weights, with "
                "other random numbers"
            ),
        ),
    ],
    ids=["optimizer", "random state"],
)
def test_the_cure_takes_away_what_is_damaged(files: dict[str, Any], advice: str) -> None:
    assert remedy(held(**files)) == advice


def test_one_cause_is_told_once() -> None:
    weights = held(model__safetensors={**CUT, "size": 100})
    assert weights.saved.broken
    assert not weights.told  # that the file is damaged says it
    optimizer = held(optimizer__pt=CUT)
    assert optimizer.told
    assert optimizer.tells_of(optimizer.saved.checkpoint, "optimizer.pt")
    assert not optimizer.tells_of(optimizer.saved.checkpoint, "model.safetensors")
    hostile = held(optimizer__pt={"verdict": "unsafe", "offender": "os.system", "size": 100})
    assert not hostile.told  # that it runs a program says it

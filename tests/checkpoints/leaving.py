"""What may become of the folder of a run before it is gone on from; `leave` does one of these."""

from __future__ import annotations

import json
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

LAST = "checkpoint-4"


def leave(run: Path, steps: list[list[Any]]) -> None:
    """Do each of the steps, a name of a function here and its arguments."""
    for name, *arguments in steps:
        ACTIONS[name](run, *arguments)


def without(run: Path, *names: str) -> None:
    for name in names:
        (run / LAST / name).unlink()


def cut(run: Path, name: str) -> None:
    path = run / LAST / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


def emptied(run: Path, name: str) -> None:
    (run / LAST / name).write_bytes(b"")


def state(run: Path, **values: Any) -> None:
    path = run / LAST / "trainer_state.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def config(run: Path, **values: Any) -> None:
    path = run / LAST / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def other_shape(run: Path, number: int = 0, *shape: int) -> None:
    """The memory of one parameter gets another shape, as from another model."""
    import torch

    path = run / LAST / "optimizer.pt"
    held = torch.load(path, weights_only=True)
    for name in ("exp_avg", "exp_avg_sq"):
        held["state"][number][name] = torch.zeros(*(shape or (3,)))
    torch.save(held, path)


def not_a_number(run: Path) -> None:
    from safetensors.torch import load_file, save_file

    path = run / LAST / "model.safetensors"
    held = load_file(path)
    held["classifier.weight"][:] = float("nan")
    save_file(held, path, metadata={"format": "pt"})


class _Evaluated:
    def __reduce__(self) -> Any:
        return eval, ("1 + 1",)


def malicious(run: Path, name: str = "optimizer.pt") -> None:
    with zipfile.ZipFile(run / LAST / name, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"state": _Evaluated()}, protocol=2))
        archive.writestr("archive/version", "3\n")


def numpy_1(run: Path) -> None:
    """The states of random numbers as NumPy 1 writes them."""
    path = run / LAST / "rng_state.pth"
    with zipfile.ZipFile(path) as archive:
        members = [(one, archive.read(one)) for one in archive.namelist()]
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members:
            archive.writestr(name, data.replace(b"numpy._core.", b"numpy.core."))


def two_processes(run: Path) -> None:
    path = run / LAST / "rng_state.pth"
    shutil.copy(path, run / LAST / "rng_state_0.pth")
    path.rename(run / LAST / "rng_state_1.pth")


def folder(run: Path, name: str) -> None:
    (run / name).mkdir()


def renamed(run: Path, old: str, new: str) -> None:
    (run / old).rename(run / new)


def file(run: Path, name: str) -> None:
    (run / name).write_text("no folder")


def link(run: Path, name: str, target: str) -> None:
    (run / name).symlink_to(target)


def gone(run: Path, *names: str) -> None:
    for name in names:
        shutil.rmtree(run / name)


def pickled(run: Path) -> None:
    """The weights as a pickle, the way they were saved before safetensors."""
    import torch
    from safetensors.torch import load_file

    path = run / LAST / "model.safetensors"
    torch.save(load_file(path), run / LAST / "pytorch_model.bin")
    path.unlink()


ACTIONS: dict[str, Callable[..., None]] = {
    act.__name__: act
    for act in (
        *(without, cut, emptied, other_shape, not_a_number, malicious, numpy_1, two_processes),
        *(folder, renamed, file, link, gone, pickled),
    )
} | {
    "state": lambda run, values: state(run, **values),
    "config": lambda run, values: config(run, **values),
}

"""Ordinary files raise no alarm: the verdict is what torch.load(weights_only=True) says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipedoctor.checkpoints import pickles
from pipedoctor.checkpoints.contents import Contents, FlawKind, Verdict
from pipedoctor.checkpoints.pickles import torch_zip

BEYOND = {"namespace", "default", "path", "whole_model"}
OTHER_CODE = {"function"}
KINDS = {"float32": "F32", "float16": "F16", "bfloat16": "BF16", "float64": "F64", "int64": "I64"}
KINDS |= {"int32": "I32", "int16": "I16", "int8": "I8", "uint8": "U8", "bool": "BOOL"}
KINDS |= {"complex64": "C64", "complex128": "C128", "uint16": "U16", "uint32": "U32"}
KINDS |= {"uint64": "U64", "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2"}


def read(path: Path) -> Contents:
    found = pickles.read(str(path))
    assert found is not None, path
    return found


def torch_allows(path: Path) -> bool:
    torch = pytest.importorskip("torch")
    try:
        torch.load(path, weights_only=True)
    except Exception:  # noqa: BLE001 - of whatever kind: it is a refusal
        return False
    return True


def test_verdicts_are_those_of_torch(torch_files: list[Path]) -> None:
    for path in torch_files:
        name, _, kind = path.name.partition(".")
        if kind == "p4.pt" or path.name == "dtypes.legacy.pt":
            continue  # torch refuses the opcodes of protocol 4, and its own file of dtypes
        verdict = read(path).verdict
        assert (verdict is Verdict.ALLOWED) == torch_allows(path), path.name
        assert (verdict is Verdict.NEEDS_TRUST) == (name in BEYOND), path.name
        assert (verdict is Verdict.UNSAFE) == (name in OTHER_CODE), path.name


def test_protocol_and_format_change_nothing(torch_files: list[Path]) -> None:
    found: dict[str, list[Contents]] = {}
    for path in torch_files:
        contents = read(path)
        assert contents.flaws == (), path.name
        found.setdefault(path.name.partition(".")[0], []).append(contents)
    for same in found.values():
        assert len({contents.verdict for contents in same}) == 1
        assert len({repr(dict(contents.values)) for contents in same}) == 1
        shapes = [{n: (t.shape, t.dtype) for n, t in c.tensors.items()} for c in same]
        assert shapes[1:] == shapes[:-1]


def flat(value: Any, name: str = "") -> dict[str, Any]:
    torch = pytest.importorskip("torch")
    if isinstance(value, torch.Tensor):
        return {name: value}
    pairs: Any = []
    if isinstance(value, dict):
        pairs = value.items()
    elif isinstance(value, list | tuple):
        pairs = enumerate(value)
    found = {}
    for key, inner in pairs:
        found |= flat(inner, f"{name}.{key}" if name else str(key))
    return found


def test_tensors_stand_where_they_are_said_to(torch_files: list[Path]) -> None:
    torch = pytest.importorskip("torch")
    seen = set()
    for path in torch_files:
        name, _, kind = path.name.partition(".")
        if name in BEYOND | OTHER_CODE | {"sparse", "quantized", "meta"}:
            continue
        if path.name == "dtypes.legacy.pt":
            continue  # torch can't load what it has saved there
        told = read(path).tensors
        real = flat(torch.load(path, weights_only=False))
        assert set(told) == set(real), path.name
        data = path.read_bytes()
        for key, tensor in real.items():
            stored = told[key]
            assert stored.shape == tuple(tensor.shape)
            assert stored.dtype == KINDS[str(tensor.dtype).removeprefix("torch.")]
            assert stored.bytes == tensor.numel() * tensor.element_size()
            seen.add(stored.dtype)
            if stored.offset is None:
                assert tensor.numel() != (
                    tensor.untyped_storage().nbytes() / tensor.element_size()
                )
            elif tensor.is_contiguous() and kind != "p4.pt":
                raw = tensor.contiguous().view(-1).view(torch.uint8).numpy().tobytes()
                assert data[stored.offset : stored.offset + stored.bytes] == raw, key
    assert seen == set(KINDS.values())


def test_views_share_their_storage(torch_files: list[Path]) -> None:
    path = next(path for path in torch_files if path.name == "views.zip.pt")
    tensors = read(path).tensors
    assert len({tensor.storage for tensor in tensors.values()}) == 1
    begin = tensors["whole"].offset
    assert begin is not None
    assert tensors["row"].offset == begin + 2 * 8 * 4
    assert tensors["turned"].offset == begin
    assert tensors["column"].offset is None
    assert tensors["spread"].offset is None


def test_what_lies_beside_the_tensors(torch_files: list[Path]) -> None:
    by_name = {path.name: path for path in torch_files}
    optimizer = read(by_name["optimizer.zip.pt"])
    assert optimizer.values["param_groups.0.lr"] == 1e-3
    assert optimizer.values["param_groups.0.betas"] == (0.9, 0.999)
    assert optimizer.tensors["state.0.exp_avg"].shape == (3, 4)
    nested = read(by_name["nested.legacy.pt"])
    assert nested.values == {"step": 3, "rates": (0.1, 0.2), "name": "é", "none": None}
    assert set(read(by_name["whole_model.zip.pt"]).tensors) == set(
        read(by_name["state_dict.zip.pt"]).tensors
    )


def test_plain_pickles_are_allowed(pickle_files: list[Path]) -> None:
    for path in pickle_files:
        found = read(path)
        assert found.verdict is Verdict.ALLOWED, path.name
        assert found.flaws == ()
        assert found.values["a"] == (1, 2.5, "x", None, True)
        assert found.values["c.d"] == -(2**70)


def test_arrays_need_trust_only_where_they_hold_objects(array_files: list[Path]) -> None:
    for path in array_files:
        found = read(path)
        assert found.flaws == (), path.name
        plain = path.suffix in {".npy", ".npz"} and not path.name.startswith("objects")
        assert found.verdict is (Verdict.ALLOWED if plain else Verdict.NEEDS_TRUST), path.name
        if not path.name.startswith("objects.npy"):
            name = "" if path.suffix == ".npy" else "a"
            assert (found.tensors[name].shape, found.tensors[name].dtype) == ((3, 4), "F32")


def test_arrays_of_joblib_stand_where_they_are_said_to(array_files: list[Path]) -> None:
    np = pytest.importorskip("numpy")
    path = next(path for path in array_files if path.name == "raw.joblib")
    offset = read(path).tensors["a"].offset
    assert offset is not None
    assert list(np.frombuffer(path.read_bytes()[offset : offset + 48], "f4")) == list(range(12))


def test_the_files_of_a_trainer(trainer_folder: Path) -> None:
    found = {path.name: pickles.read(str(path)) for path in trainer_folder.iterdir()}
    verdicts = {name: contents.verdict for name, contents in found.items() if contents}
    assert verdicts == {
        "optimizer.pt": Verdict.ALLOWED,
        "scheduler.pt": Verdict.ALLOWED,
        "rng_state.pth": Verdict.NEEDS_TRUST,
        "training_args.bin": Verdict.NEEDS_TRUST,
    }
    for name, verdict in verdicts.items():
        assert (verdict is Verdict.ALLOWED) == torch_allows(trainer_folder / name)
    arguments = found["training_args.bin"]
    assert arguments is not None
    assert arguments.values["max_steps"] == 2
    assert arguments.values["lr_scheduler_type"] == "linear"
    assert arguments.offender == "transformers.training_args.TrainingArguments"
    scheduler = found["scheduler.pt"]
    assert scheduler is not None
    assert scheduler.values["last_epoch"] == 2
    state = json.loads((trainer_folder / "trainer_state.json").read_text())
    assert state["global_step"] == scheduler.values["last_epoch"]


def test_a_distributed_checkpoint(distributed_folder: Path) -> None:
    found = read(distributed_folder / ".metadata")
    assert found.verdict is Verdict.NEEDS_TRUST
    assert {name: tensor.shape for name, tensor in found.tensors.items()} == {
        "model.weight": (3, 4),
        "model.bias": (3,),
    }
    assert found.metadata["objects"] == ("step",)
    sizes = {
        path.name: path.stat().st_size for path in distributed_folder.iterdir() if path.suffix
    }
    assert found.metadata["files"] == {"__0_0.distcp": sizes["__0_0.distcp"]}


def test_a_script_of_torch_needs_trust(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU())
    path = tmp_path / "script.pt"
    torch.jit.script(model).save(str(path))
    found = read(path)
    assert found.format == "TorchScript archive"
    assert found.verdict is Verdict.NEEDS_TRUST
    assert [flaw.kind for flaw in found.flaws] == [FlawKind.CODE]
    assert "bytes of TorchScript in" in found.reason
    assert found.tensors["0.weight"].shape == (3, 4)
    assert not torch_allows(path)


def test_a_changed_byte_is_found_by_its_checksum(torch_files: list[Path], tmp_path: Path) -> None:
    source = next(path for path in torch_files if path.name == "state_dict.zip.pt")
    assert torch_zip.verify(str(source)) == ()
    offset = read(source).tensors["0.weight"].offset
    assert offset is not None
    data = bytearray(source.read_bytes())
    data[offset + 5] ^= 0x10
    changed = tmp_path / "changed.pt"
    changed.write_bytes(data)
    (flaw,) = torch_zip.verify(str(changed))
    assert flaw.kind is FlawKind.CHECKSUM
    assert "48 bytes" in flaw.message
    assert torch_allows(changed)  # torch loads it without a word

"""HDF5 files: their superblock, what h5py lists in them, and what they would run."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from checkpoints.keras_files import BYTECODE, REAL, layer, model, without_h5py

from pipedoctor.checkpoints import formats, hdf5, keras_h5
from pipedoctor.checkpoints.contents import Contents, FlawKind, Verdict

END = 8 + 16 + 2 * 8
"""Where a superblock of version 0 says how long the file is."""


def of(tmp_path: Path, data: bytes) -> Contents:
    path = tmp_path / "model.h5"
    path.write_bytes(data)
    return hdf5.read(str(path))


@pytest.fixture
def written(tmp_path: Path) -> Any:
    """Return a function that makes a file by h5py."""
    h5py = pytest.importorskip("h5py")

    def write(fill: Any, **how: Any) -> Contents:
        path = tmp_path / "made.h5"
        with h5py.File(path, "w", **how) as file:
            fill(file)
        return formats.read(str(path))

    return write


def test_a_real_file_of_weights_is_listed_with_the_place_of_its_elements() -> None:
    pytest.importorskip("h5py")
    contents = formats.read(str(REAL / "dense.weights.h5"))
    assert (contents.verdict, contents.flaws) == (Verdict.ALLOWED, ())
    assert contents.format == "Keras HDF5 weights"
    shapes = {name: tensor.shape for name, tensor in contents.tensors.items()}
    assert shapes == {
        "layers/dense/vars/0": (4, 3),
        "layers/dense/vars/1": (3,),
        "layers/dense_1/vars/0": (3, 2),
        "layers/dense_1/vars/1": (2,),
    }
    bias = contents.tensors["layers/dense/vars/1"]
    assert (bias.dtype, bias.bytes) == ("F32", 12)
    data = (REAL / "dense.weights.h5").read_bytes()
    assert bias.offset is not None
    assert struct.unpack_from("<3f", data, bias.offset) == (0, 0, 0)


def test_a_real_whole_model_is_allowed() -> None:
    pytest.importorskip("h5py")
    contents = formats.read(str(REAL / "dense.h5"))
    assert (contents.verdict, contents.flaws) == (Verdict.ALLOWED, ())
    assert contents.format == "Keras HDF5"
    assert contents.metadata["model"] == "Sequential"
    assert contents.tensors["model_weights/out/sequential/out/kernel"].shape == (3, 2)


def test_a_lambda_in_a_real_model_is_unsafe() -> None:
    pytest.importorskip("h5py")
    contents = formats.read(str(REAL / "lambda.h5"))
    assert (contents.verdict, contents.offender) == (Verdict.UNSAFE, "keras.layers.Lambda")
    assert [flaw.kind for flaw in contents.flaws] == [FlawKind.CODE]
    assert len(contents.tensors) == 2


@pytest.mark.parametrize("step", range(1, 16))
def test_a_file_cut_off_anywhere_tells_both_sizes(tmp_path: Path, step: int) -> None:
    data = (REAL / "dense.h5").read_bytes()
    contents = of(tmp_path, data[: len(data) * step // 16])
    assert contents.verdict is Verdict.MALFORMED
    assert [flaw.kind for flaw in contents.flaws] == [FlawKind.TRUNCATED]
    assert f"{len(data) * step // 16:,} bytes are there" in contents.reason
    assert f"ends at {len(data):,}" in contents.reason


@pytest.mark.parametrize("size", [8, 9, 12, 50, 90])
def test_a_file_cut_off_within_its_superblock_is_told_so(tmp_path: Path, size: int) -> None:
    contents = of(tmp_path, (REAL / "dense.h5").read_bytes()[:size])
    assert (contents.verdict, contents.flaws[0].kind) == (Verdict.MALFORMED, FlawKind.TRUNCATED)
    assert "within its superblock" in contents.reason


@pytest.mark.parametrize(("end", "kind"), [(2**40, "truncated"), (3, "bad header")])
def test_a_wrong_end_is_found(tmp_path: Path, end: int, kind: str) -> None:
    data = bytearray((REAL / "dense.h5").read_bytes())
    data[END : END + 8] = struct.pack("<Q", end)
    contents = of(tmp_path, bytes(data))
    assert contents.verdict is Verdict.MALFORMED
    assert [flaw.kind.value for flaw in contents.flaws] == [kind]
    assert f"{end:,}" in contents.reason


@pytest.mark.parametrize(("at", "value"), [(8, 4), (8, 255), (13, 0), (13, 3), (13, 255)])
def test_a_superblock_of_no_kind_is_a_bad_header(tmp_path: Path, at: int, value: int) -> None:
    data = bytearray((REAL / "dense.h5").read_bytes())
    data[at] = value
    contents = of(tmp_path, bytes(data))
    assert contents.verdict is Verdict.MALFORMED
    assert [flaw.kind for flaw in contents.flaws] == [FlawKind.BAD_HEADER]


def test_an_empty_file_is_no_checkpoint(tmp_path: Path) -> None:
    assert of(tmp_path, b"").flaws[0].kind is FlawKind.BAD_HEADER
    (tmp_path / "empty.h5").touch()
    contents = formats.read(str(tmp_path / "empty.h5"))
    assert contents.flaws[0].kind is FlawKind.NOT_A_CHECKPOINT


def test_a_damage_that_only_h5py_sees_is_malformed(tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    data = (REAL / "dense.h5").read_bytes().replace(b"TREE", b"EERT")
    contents = of(tmp_path, data)
    assert contents.verdict is Verdict.MALFORMED
    assert "h5py can't read it" in contents.reason


def test_a_crash_of_h5py_is_told_and_survived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashing = tmp_path / "crashing.py"
    crashing.write_text(
        "import json, os\n"
        "print(json.dumps(['h5py', '3']))\n"
        f"print(json.dumps(['text', 'model_config', {json.dumps(lambda_config())!r}]), flush=True)\n"
        "os.abort()\n"
    )
    monkeypatch.setattr(keras_h5.h5_listing, "__file__", str(crashing))
    contents = formats.read(str(REAL / "dense.h5"))
    # What had been told before the crash still counts.
    assert (contents.verdict, contents.offender) == (Verdict.UNSAFE, "keras.layers.Lambda")
    assert any("h5py crashes on it" in flaw.message for flaw in contents.flaws)


def lambda_config() -> dict[str, Any]:
    return model(layer("Lambda", function=BYTECODE, arguments={}))


def test_without_h5py_the_structure_is_judged_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_h5py(monkeypatch, tmp_path)
    healthy = formats.read(str(REAL / "dense.h5"))
    assert (healthy.verdict, healthy.tensors, healthy.flaws) == (Verdict.UNSUPPORTED, {}, ())
    assert "h5py is not installed" in healthy.reason
    cut = of(tmp_path, (REAL / "dense.h5").read_bytes()[:3000])
    assert [flaw.kind for flaw in cut.flaws] == [FlawKind.TRUNCATED]


def test_all_types_have_the_names_of_safetensors(written: Any) -> None:
    types = {"<f2": "F16", "<f8": "F64", "|i1": "I8", "<u2": "U16", "<i8": "I64", "?": "BOOL"}

    def fill(file: Any) -> None:
        for code in types:
            file.create_dataset(code.strip("<|?") or "bool", data=[1, 0], dtype=code)
        file.create_dataset("big", data=[1.0], dtype=">f4")
        file.create_dataset("packed", data=[1.0] * 64, dtype="<f4", compression="gzip")
        file["text"] = "hello"

    tensors = written(fill).tensors
    assert {n: t.dtype for n, t in tensors.items()} == {
        "f2": "F16",
        "f8": "F64",
        "i1": "I8",
        "u2": "U16",
        "i8": "I64",
        "bool": "BOOL",
        "big": "F32",
        "packed": "F32",
        "text": "STRING",
    }
    # Elements in the other order or packed can't be read in place.
    assert tensors["big"].offset is tensors["packed"].offset is None
    assert tensors["f8"].offset is not None


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize("block", [0, 512, 1024, 2048])
def test_every_superblock_is_read_wherever_it_stands(
    written: Any, tmp_path: Path, libver: str, block: int
) -> None:
    contents = written(
        lambda file: file.create_dataset("a", data=[1.5, 2.5], dtype="<f4"),
        libver=libver,
        userblock_size=block,
    )
    assert (contents.verdict, contents.flaws) == (Verdict.ALLOWED, ())
    data, tensor = (tmp_path / "made.h5").read_bytes(), contents.tensors["a"]
    assert tensor.offset is not None
    assert struct.unpack_from("<2f", data, tensor.offset) == (1.5, 2.5)
    cut = of(tmp_path, data[:-1])
    assert [flaw.kind for flaw in cut.flaws] == [FlawKind.TRUNCATED]
    assert f"ends at {len(data):,}" in cut.reason


def test_what_leads_to_another_file_is_told_and_not_opened(written: Any, tmp_path: Path) -> None:
    import h5py

    def fill(file: Any) -> None:
        file["link"] = h5py.ExternalLink("/etc/hostname", "/x")
        file.create_dataset("raw", (4,), "<f4", external=[("/etc/passwd", 0, 16)])
        layout = h5py.VirtualLayout((2,), "<f4")
        layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "x", (2,))
        file.create_virtual_dataset("virtual", layout)
        file["own"] = h5py.SoftLink("/nowhere")

    contents = written(fill)
    assert contents.verdict is Verdict.MALFORMED
    found = {flaw.tensor: flaw.kind for flaw in contents.flaws}
    assert found == dict.fromkeys(("link", "raw", "virtual"), FlawKind.OUTSIDE)
    assert contents.tensors["raw"].offset is None


def test_groups_in_a_circle_are_entered_once(written: Any) -> None:
    def fill(file: Any) -> None:
        group = file.create_group("a")
        group["a"] = group
        group["up"] = file["/"]
        group["x"] = [1, 2]
        file["same"] = group["x"]

    contents = written(fill)
    assert sorted(contents.tensors) == ["a/x", "same"]
    assert contents.tensors["a/x"].storage == contents.tensors["same"].storage


@pytest.mark.parametrize("name", ["model_config", "training_config"])
def test_both_configs_are_judged(written: Any, name: str) -> None:
    contents = written(lambda file: file.attrs.__setitem__(name, json.dumps(lambda_config())))
    assert (contents.verdict, contents.offender) == (Verdict.UNSAFE, "keras.layers.Lambda")
    assert [flaw.kind for flaw in contents.flaws] == [FlawKind.CODE]


@pytest.mark.parametrize(
    ("text", "kind"), [("{", FlawKind.BAD_HEADER), ("[" * 100_000, FlawKind.LIMIT)]
)
def test_a_config_that_is_no_json_is_malformed(written: Any, text: str, kind: FlawKind) -> None:
    contents = written(lambda file: file.attrs.__setitem__("model_config", text))
    assert contents.verdict is Verdict.MALFORMED
    assert [flaw.kind for flaw in contents.flaws] == [kind]

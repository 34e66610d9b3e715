"""Keras archives: what the config would run, and what is wrong with the archive."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from checkpoints.archives import Entry, zipped
from checkpoints.keras_files import BYTECODE, REAL, archive, function, layer, model, without_h5py

from pipedoctor.checkpoints import formats, keras_archive, keras_config
from pipedoctor.checkpoints.contents import Contents, FlawKind, Verdict

DENSE = model(layer("Dense", units=3, activation="relu"))


def of(tmp_path: Path, data: bytes) -> Contents:
    path = tmp_path / "model.keras"
    path.write_bytes(data)
    return keras_archive.read(str(path))


def judged(config: Any) -> tuple[Verdict, str, tuple[FlawKind, ...]]:
    """Return what a config alone is judged as."""
    judgement, flaws = keras_config.judged(
        keras_config.parsed(json.dumps(config), "config.json"), "config.json"
    )
    return judgement.verdict, judgement.offender, tuple(flaw.kind for flaw in flaws)


def test_a_real_archive_is_listed_with_the_place_of_every_element() -> None:
    pytest.importorskip("h5py")
    path = REAL / "dense.keras"
    contents = formats.read(str(path))
    assert (contents.verdict, contents.flaws) == (Verdict.ALLOWED, ())
    assert contents.format == "Keras archive"
    assert {n: (t.dtype, t.shape) for n, t in contents.tensors.items()} == {
        "layers/dense/vars/0": ("F32", (4, 3)),
        "layers/dense/vars/1": ("F32", (3,)),
        "layers/dense_1/vars/0": ("F32", (3, 2)),
        "layers/dense_1/vars/1": ("F32", (2,)),
    }
    assert contents.metadata["model"] == "Sequential"
    assert contents.metadata["keras_version"] == "3.15.1"
    bias = contents.tensors["layers/dense/vars/1"]
    assert bias.offset is not None
    assert path.read_bytes()[bias.offset : bias.offset + 12] == bytes(12)


def test_models_within_models_of_keras_are_allowed() -> None:
    pytest.importorskip("h5py")
    contents = formats.read(str(REAL / "nested.keras"))
    assert (contents.verdict, contents.flaws) == (Verdict.ALLOWED, ())
    assert contents.tensors["layers/sequential/layers/dense/vars/0"].shape == (4, 3)


def test_a_lambda_inside_a_wrapper_is_found_in_a_real_archive() -> None:
    contents = formats.read(str(REAL / "lambda_in_wrapper.keras"))
    assert (contents.verdict, contents.offender) == (Verdict.UNSAFE, "keras.layers.Lambda")
    assert [flaw.kind for flaw in contents.flaws] == [FlawKind.CODE]


def test_a_function_of_keras_in_a_lambda_needs_trust() -> None:
    pytest.importorskip("h5py")
    contents = formats.read(str(REAL / "named_function.keras"))
    assert (contents.verdict, contents.offender) == (Verdict.NEEDS_TRUST, "keras.layers.Lambda")
    assert not contents.flaws


@pytest.mark.parametrize(
    ("config", "offender"),
    [
        (model(layer("Lambda", function=BYTECODE, arguments={})), "keras.layers.Lambda"),
        (
            model(
                layer("TimeDistributed", layer=layer("Lambda", function=BYTECODE, arguments={}))
            ),
            "keras.layers.Lambda",
        ),
        (
            model(layer("Bidirectional", layer=layer("LSTM", activation=BYTECODE))),
            "__lambda__",
        ),
        (
            model(model(model(layer("Lambda", function=BYTECODE, arguments={})))),
            "keras.layers.Lambda",
        ),
        # Keras 2: a list of bytecode, defaults and closure.
        (
            model(layer("Lambda", None, function=["4wE=", None, None], function_type="lambda")),
            "keras.layers.Lambda",
        ),
        (
            model(
                layer(
                    "Lambda",
                    None,
                    function="relu",
                    output_shape="4wE=",
                    output_shape_type="lambda",
                )
            ),
            "keras.layers.Lambda",
        ),
        (model(layer("Lambda", function="system", module="os")), "os.system"),
        (model(layer("Dense", activation=function("os", "system"))), "os.system"),
        (model(layer("Dense", activation=function("numpy.testing", "x"))), "numpy.testing.x"),
        (model(layer("Dense", activation=function("builtins", "eval"))), "builtins.eval"),
        (model(layer("eval", "builtins", source="1")), "builtins.eval"),
        (model(layer("Popen", "subprocess", args=["true"])), "subprocess.Popen"),
        (model(layer("get_file", "keras.utils")), "keras.utils.get_file"),
        (
            model(layer("get_file", "keras.src.utils.file_utils")),
            "keras.src.utils.file_utils.get_file",
        ),
        (
            model(layer("Lambda", function=function("keras.utils", "get_file"))),
            "keras.utils.get_file",
        ),
        (model(layer("load_model", "keras.models")), "keras.models.load_model"),
        (model(layer("TorchModuleWrapper", module="gASVAA==")), "TorchModuleWrapper"),
        (model(layer("TFOpLambda", None, function="io.write_file")), "tf.io.write_file"),
        (model(layer("TFSMLayer", filepath="saved")), "TFSMLayer"),
        (
            {
                **DENSE,
                "compile_config": {"metrics": [layer("Mean", "keras.metrics", fn=BYTECODE)]},
            },
            "__lambda__",
        ),
    ],
)
def test_code_in_a_config_is_unsafe_and_named(config: Any, offender: str) -> None:
    assert judged(config) == (Verdict.UNSAFE, offender, (FlawKind.CODE,))


@pytest.mark.parametrize(
    ("config", "offender"),
    [
        (model(layer("Mine", "my_package.layers")), "my_package.layers.Mine"),
        (model(layer("Mine", "__main__")), "__main__.Mine"),
        (model({**layer("Mine", None), "registered_name": "mine>Mine"}), "mine>Mine"),
        (model(layer("Dense", activation=function("builtins", "mine>act"))), "mine>act"),
        (model(layer("StringLookup", vocabulary="/etc/passwd")), "StringLookup"),
    ],
)
def test_what_is_not_of_keras_needs_trust_and_is_no_flaw(config: Any, offender: str) -> None:
    assert judged(config) == (Verdict.NEEDS_TRUST, offender, ())


@pytest.mark.parametrize(
    "config",
    [
        DENSE,
        model(layer("Dense", activation=function("builtins", "relu"))),
        # Keras has a function of this name itself.
        model(layer("Dense", activation=function("builtins", "sum"))),
        model(layer("Cast", to=layer("type", "builtins", name="float"))),
        model(layer("TFOpLambda", None, function="math.multiply")),
        model(layer("StringLookup", vocabulary=["a", "b"])),
        model(layer("Functional", "keras.src.models.functional", layers=[])),
        model(layer("FeatureSpace", "keras.utils")),
        model({"class_name": "__keras_tensor__", "config": {"shape": [None, 4]}}),
        # A name like any other, where no object is described.
        model(layer("Dense", name="Lambda", note="os.system")),
    ],
)
def test_what_keras_writes_itself_is_allowed(config: Any) -> None:
    assert judged(config) == (Verdict.ALLOWED, "", ())


def test_either_of_two_configs_is_judged(tmp_path: Path) -> None:
    for configs in (
        (DENSE, model(layer("Lambda", function=BYTECODE, arguments={}))),
        (model(layer("Lambda", function=BYTECODE, arguments={})), DENSE),
    ):
        contents = of(tmp_path, archive(*configs))
        assert (contents.verdict, contents.offender) == (Verdict.UNSAFE, "keras.layers.Lambda")
        assert {flaw.kind for flaw in contents.flaws} == {FlawKind.DUPLICATE, FlawKind.CODE}


def test_a_harmless_config_twice_is_malformed(tmp_path: Path) -> None:
    contents = of(tmp_path, archive(DENSE, DENSE))
    assert contents.verdict is Verdict.MALFORMED
    assert [flaw.kind for flaw in contents.flaws] == [FlawKind.DUPLICATE]


def test_a_name_twice_in_one_object_is_a_flaw(tmp_path: Path) -> None:
    text = b'{"class_name": "Sequential", "class_name": "Functional", "config": {}}'
    contents = of(tmp_path, archive(text))
    assert contents.verdict is Verdict.MALFORMED
    assert "'class_name' twice" in contents.flaws[0].message


def test_without_metadata_it_is_still_what_keras_reads(tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    contents = of(tmp_path, archive(DENSE, metadata=False))
    assert (contents.verdict, contents.flaws) == (Verdict.ALLOWED, ())


@pytest.mark.parametrize("missing", ["config.json", "model.weights.h5"])
def test_a_missing_part_is_named(tmp_path: Path, missing: str) -> None:
    configs = () if missing == "config.json" else (DENSE,)
    contents = of(
        tmp_path, archive(*configs, weights=None if missing == "model.weights.h5" else b"")
    )
    assert contents.verdict is Verdict.MALFORMED
    assert [(f.kind, missing in f.message) for f in contents.flaws] == [
        (FlawKind.MISSING_FILE, True)
    ]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (b"not json", FlawKind.BAD_HEADER),
        (b"[1, 2]", FlawKind.BAD_HEADER),
        (b"", FlawKind.BAD_HEADER),
        (b"\xff\xfe{}", FlawKind.BAD_HEADER),
        (b'{"config": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", FlawKind.LIMIT),
        (b'{"config": ' + b"[" * 450 + b"]" * 450 + b"}", FlawKind.LIMIT),
    ],
)
def test_a_config_that_cannot_be_read_is_malformed(
    tmp_path: Path, text: bytes, kind: FlawKind
) -> None:
    contents = of(tmp_path, archive(text, weights=None))
    assert contents.verdict is Verdict.MALFORMED
    assert contents.flaws[0].kind is kind


def test_a_config_that_unpacks_to_far_more_is_not_unpacked(tmp_path: Path) -> None:
    data = archive(b" " * (64 * 2**20), weights=None, method=8)
    assert len(data) < 2**17
    contents = of(tmp_path, data)
    assert contents.verdict is Verdict.MALFORMED
    assert contents.flaws[0].kind is FlawKind.LIMIT
    assert "67,108,864 bytes" in contents.flaws[0].message


def test_packed_weights_are_listed_without_a_place(tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    contents = of(tmp_path, archive(DENSE, method=8))
    assert (contents.verdict, contents.flaws) == (Verdict.ALLOWED, ())
    assert len(contents.tensors) == 4
    assert all(tensor.offset is None for tensor in contents.tensors.values())


def test_weights_that_were_cut_off_are_told_with_both_sizes(tmp_path: Path) -> None:
    real = (REAL / "dense.weights.h5").read_bytes()
    contents = of(tmp_path, archive(DENSE, weights=real[:5000]))
    assert contents.verdict is Verdict.MALFORMED
    assert [flaw.kind for flaw in contents.flaws] == [FlawKind.TRUNCATED]
    assert "5,000 bytes are there" in contents.flaws[0].message
    assert f"{len(real):,}" in contents.flaws[0].message


def test_an_encrypted_member_is_a_flaw(tmp_path: Path) -> None:
    data = zipped(Entry("config.json", json.dumps(DENSE).encode(), flags=1))
    contents = of(tmp_path, data)
    assert contents.verdict is Verdict.MALFORMED
    assert "encrypted" in contents.flaws[0].message


def test_changed_bytes_of_the_config_are_a_flaw(tmp_path: Path) -> None:
    data = archive(DENSE, weights=None).replace(b'"relu"', b'"selu"')
    kinds = [flaw.kind for flaw in of(tmp_path, data).flaws]
    assert kinds == [FlawKind.CHECKSUM, FlawKind.MISSING_FILE]


@pytest.mark.parametrize("step", range(1, 16))
def test_an_archive_cut_off_anywhere_is_malformed(tmp_path: Path, step: int) -> None:
    data = (REAL / "dense.keras").read_bytes()
    contents = of(tmp_path, data[: len(data) * step // 16])
    assert contents.verdict is Verdict.MALFORMED
    assert [flaw.kind for flaw in contents.flaws] == [FlawKind.TRUNCATED]


def test_without_h5py_the_config_is_judged_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_h5py(monkeypatch, tmp_path)
    healthy = formats.read(str(REAL / "dense.keras"))
    assert (healthy.verdict, healthy.tensors, healthy.flaws) == (Verdict.UNSUPPORTED, {}, ())
    assert "h5py is not installed" in healthy.reason
    assert formats.read(str(REAL / "lambda_in_wrapper.keras")).verdict is Verdict.UNSAFE


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("dense.keras", 0),
        ("dense.h5", 0),
        ("dense.weights.h5", 0),
        ("named_function.keras", 0),
        ("lambda.h5", 1),
    ],
)
def test_the_command_is_quiet_about_healthy_files_only(name: str, status: int) -> None:
    pytest.importorskip("h5py")
    done = subprocess.run(
        [sys.executable, "-m", "pipedoctor", "checkpoint", str(REAL / name)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert ("No error or warning" in done.stdout) == (status == 0)
    assert ("CKP032" in done.stdout) == (status == 1)

"""Each wrong state of a file or folder is told as what it is, and nothing of it runs."""

from __future__ import annotations

import json
import os
import struct
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from checkpoints import fixtures
from checkpoints.archives import zipped
from checkpoints.folder_states import ADAPTER, EVIL, FOLDERS, INDEX, LORA, index
from checkpoints.other_states import STATES

from pipedoctor import registry
from pipedoctor.checkpoints import elements, formats
from pipedoctor.checkpoints.contents import Contents, FlawKind, Verdict
from pipedoctor.examination import Examination
from pipedoctor.fact import Cost, Unavailable
from pipedoctor.options import Options
from pipedoctor.probes.checkpoint import read_checkpoint
from pipedoctor.report import Status
from pipedoctor.targets import checkpoint

ENOUGH = 120
"""As many states at least are told apart; fewer would mean that a table got lost."""


def kinds(found: Contents) -> set[FlawKind]:
    return {flaw.kind for flaw in found.flaws}


def codes(path: Path) -> set[str]:
    """What is found in a checkpoint, no check of it crashed."""
    report = Examination(
        checkpoint.read(str(path)), registry.load(), Options(depth=Cost.FILES)
    ).run()
    assert report.count(Status.CRASHED) == 0, report
    return {outcome.rule.code for outcome in report.outcomes if outcome.findings}


def test_there_are_as_many_as_were_meant() -> None:
    assert len(STATES) + len(FOLDERS) >= ENOUGH


@pytest.mark.parametrize("what", STATES)
def test_what_is_said_of_a_file(what: str, tmp_path: Path) -> None:
    state = STATES[what]
    path = tmp_path / state.name
    path.write_bytes(state.data)
    for name, data in state.beside.items():
        (tmp_path / name).write_bytes(data)
    found = formats.read(str(path))
    assert found.verdict is state.verdict, found
    assert kinds(found) == state.flaws, found
    assert found.reason or found.verdict is Verdict.ALLOWED
    for flaw in found.flaws:
        assert flaw.message.strip()
        assert flaw.message.isprintable()


@pytest.mark.parametrize("what", FOLDERS)
def test_what_is_said_of_a_folder(what: str, tmp_path: Path) -> None:
    folder = FOLDERS[what]
    for name, data in folder.files.items():
        if data is None:
            (tmp_path / name).mkdir()
        else:
            (tmp_path / name).write_bytes(data)
    assert read_checkpoint(str(tmp_path)).kind == folder.kind
    assert codes(tmp_path) == folder.codes


def adapter(folder: Path, config: dict[str, object] = ADAPTER, **files: bytes) -> Contents:
    path = folder / "adapter_config.json"
    path.write_text(json.dumps(config))
    for name, data in files.items():
        (folder / f"adapter_model.{name}").write_bytes(data)
    return formats.read(str(path))


def test_an_adapter_is_its_config_and_the_weights_beside_it(tmp_path: Path) -> None:
    found = adapter(tmp_path, safetensors=fixtures.safetensors(LORA))
    assert (found.format, found.verdict, found.flaws) == ("PEFT adapter", Verdict.ALLOWED, ())
    assert found.metadata == {
        "type": "LORA",
        "r": 8,
        "base": "not/here",
        "files": ("adapter_model.safetensors",),
    }
    assert set(found.tensors) == set(LORA)
    assert {tensor.offset for tensor in found.tensors.values()} == {None}


def test_of_two_files_of_an_adapter_the_one_that_peft_reads(tmp_path: Path) -> None:
    found = adapter(tmp_path, safetensors=fixtures.safetensors(LORA), bin=EVIL)
    assert found.verdict is Verdict.ALLOWED
    (tmp_path / "adapter_model.safetensors").unlink()
    found = adapter(tmp_path)
    assert (found.verdict, found.offender) == (Verdict.UNSAFE, "builtins.eval")


@pytest.mark.parametrize(
    ("data", "verdict", "flaw"),
    [
        (fixtures.safetensors(LORA)[:-4], Verdict.MALFORMED, FlawKind.TRUNCATED),
        (b"", Verdict.MALFORMED, FlawKind.NOT_A_CHECKPOINT),
        (b'{"peft_type": "LORA"}', Verdict.UNSUPPORTED, FlawKind.NOT_A_CHECKPOINT),
        (None, Verdict.MALFORMED, FlawKind.MISSING_FILE),
    ],
    ids=["cut", "empty", "a config again", "missing"],
)
def test_an_adapter_with_bad_weights(
    data: bytes | None, verdict: Verdict, flaw: FlawKind, tmp_path: Path
) -> None:
    found = adapter(tmp_path, **({} if data is None else {"safetensors": data}))
    assert (found.verdict, kinds(found)) == (verdict, {flaw})
    assert codes(tmp_path / "adapter_config.json")


def test_an_adapter_whose_type_is_no_text(tmp_path: Path) -> None:
    found = adapter(tmp_path, {"peft_type": 7, "r": "x"}, safetensors=fixtures.safetensors(LORA))
    assert kinds(found) == {FlawKind.BAD_HEADER}
    assert set(found.metadata) == {"files"}


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside.safetensors"
    outside.write_bytes(fixtures.safetensors(LORA))
    folder = tmp_path / "adapter"
    folder.mkdir()
    (folder / "adapter_model.safetensors").symlink_to(outside)
    found = adapter(folder)
    assert (kinds(found), found.tensors) == ({FlawKind.OUTSIDE}, {})
    shards = tmp_path / "shards"
    shards.mkdir()
    (shards / "part.safetensors").symlink_to(outside)
    (shards / INDEX).write_text(json.dumps(index({"a": "part.safetensors"})))
    found = formats.read(str(shards / INDEX))
    assert (kinds(found), found.tensors) == ({FlawKind.OUTSIDE}, {})


def test_what_is_no_file_is_never_waited_for(tmp_path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("Windows has no pipes in folders")
    os.mkfifo(tmp_path / "model.safetensors")
    (tmp_path / "zero.bin").symlink_to("/dev/zero")
    (tmp_path / "folder.safetensors").mkdir()
    for name, format_ in (
        ("model.safetensors", "pipe"),
        ("zero.bin", "device"),
        ("folder.safetensors", "folder"),
    ):
        found = formats.read(str(tmp_path / name))
        assert (found.format, kinds(found)) == (format_, {FlawKind.NOT_A_CHECKPOINT})
    assert codes(tmp_path) == {"CKP031"}


def test_links_in_a_circle_and_to_nowhere(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    for name, target in (("model.safetensors", "b"), ("b", "model.safetensors"), ("c", "gone")):
        (tmp_path / name).symlink_to(tmp_path / target)
        with pytest.raises(Unavailable):
            formats.read(str(tmp_path / name))
    assert codes(tmp_path) == {"CKP031"}


def test_elements_that_lie_elsewhere_or_the_other_way_round_are_not_read(tmp_path: Path) -> None:
    swapped = b"GGUF" + struct.pack(">IQQ", 3, 1, 0) + struct.pack(">Q", 1) + b"a"
    swapped += struct.pack(">IQIQ", 1, 4, 0, 0)
    swapped += b"\0" * (-len(swapped) % 32) + struct.pack(">4f", 1, 2, 3, 4)
    for name, data in (
        ("swapped.gguf", swapped),
        ("model.index", fixtures.tf_index()),
        ("swapped.npy", fixtures.npy(descr=">f4")),
        (
            "swapped.bin",
            zipped(
                *(
                    replace(e, data=e.data.replace(b"little", b"big"))
                    for e in fixtures.torch_entries()
                )
            ),
        ),
    ):
        (tmp_path / name).write_bytes(data)
        found = formats.read(str(tmp_path / name))
        assert found.tensors
        assert not any(elements.readable(tensor) for tensor in found.tensors.values()), name


def test_a_scan_that_could_read_nothing_does_not_say_that_all_is_well(tmp_path: Path) -> None:
    (tmp_path / "m.index").write_bytes(fixtures.tf_index())
    (tmp_path / "m.data-00000-of-00001").write_bytes(fixtures.tf_data())
    report = Examination(
        checkpoint.read(str(tmp_path / "m.index")), registry.load(), Options(depth=Cost.FILES)
    ).run()
    told = {outcome.rule.code: outcome for outcome in report.outcomes}
    assert told["CKP016"].status is Status.SKIPPED
    assert "can't be read here" in told["CKP016"].reason

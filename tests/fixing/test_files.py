"""Writing to a file of the user's: whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from pipedoctor.fixing import Refused, files


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "c.json"
    path.write_bytes(b"before")
    return path


def test_the_bytes_change_and_the_mode_stays(config: Path) -> None:
    config.chmod(0o640)
    files.replace(str(config), b"before", b"after")
    assert config.read_bytes() == b"after"
    assert stat.S_IMODE(config.stat().st_mode) == 0o640
    assert os.listdir(config.parent) == ["c.json"], "nothing is left beside it"


def test_a_link_stays_a_link(config: Path) -> None:
    link = config.parent / "link.json"
    link.symlink_to("c.json")
    files.replace(str(link), b"before", b"after")
    assert (link.is_symlink(), config.read_bytes()) == (True, b"after")


def test_what_was_changed_meanwhile_is_left_alone(config: Path) -> None:
    with pytest.raises(Refused, match="was changed meanwhile; run it again"):
        files.replace(str(config), b"other", b"after")
    assert config.read_bytes() == b"before"
    assert os.listdir(config.parent) == ["c.json"]


def test_a_read_only_file_is_left_alone(config: Path) -> None:
    config.chmod(0o444)
    with pytest.raises(Refused, match=r"is read-only; allow it with: chmod u\+w"):
        files.replace(str(config), b"before", b"after")
    assert config.read_bytes() == b"before"


def test_a_file_of_several_names_is_left_alone(config: Path) -> None:
    os.link(config, config.parent / "other.json")
    with pytest.raises(Refused, match="has 2 names"):
        files.replace(str(config), b"before", b"after")


def test_a_draft_that_is_there_already_is_not_written_to(config: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine")
    (tmp_path / f"c.json.{os.getpid()}.tmp").symlink_to(elsewhere)
    with pytest.raises(Refused, match="can't be written"):
        files.replace(str(config), b"before", b"after")
    assert (elsewhere.read_text(), config.read_bytes()) == ("mine", b"before")


def test_when_the_disk_is_full_nothing_is_lost(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Refused, match="No space left on device"):
        files.replace(str(config), b"before", b"after")
    assert config.read_bytes() == b"before"
    assert os.listdir(config.parent) == ["c.json"]

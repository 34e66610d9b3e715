from __future__ import annotations

from pathlib import Path

import pytest

from pipedoctor import cache


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "pipedoctor"


def test_what_was_written_is_read_for_the_same_key_only(folder: Path) -> None:
    cache.write("thing", ("a", 1), {"x": [1, 2]})
    assert cache.read("thing", ["a", 1]) == {"x": [1, 2]}
    assert cache.read("thing", ["a", 2]) is None
    assert cache.read("other", ["a", 1]) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_a_spoilt_file_is_as_good_as_none(folder: Path, content: bytes) -> None:
    folder.mkdir()
    (folder / "thing.json").write_bytes(content)
    assert cache.read("thing", 1) is None


def test_a_folder_that_cannot_be_written_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    cache.write("thing", 1, 2)
    assert cache.read("thing", 1) is None
    assert (tmp_path / "file").read_text() == "in the way"


def test_no_draft_is_left_behind(folder: Path) -> None:
    cache.write("thing", 1, 2)
    assert [path.name for path in folder.iterdir()] == ["thing.json"]

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pipedoctor.facts import HubHome
from pipedoctor.probes.surroundings import hub

CASES = [
    {},
    {"HF_HOME": "/scratch/hf"},
    {"HF_HOME": "/scratch/hf", "HF_HUB_CACHE": "~/cache"},
    {"HUGGINGFACE_HUB_CACHE": "/old", "HF_HOME": "/scratch/hf"},
    {"XDG_CACHE_HOME": "/xdg"},
]


def test_the_folder_is_that_of_huggingface_hub():
    pytest.importorskip("huggingface_hub")
    for variables in CASES:
        clean = {
            n: v for n, v in os.environ.items() if not n.startswith(("HF_", "HUGGING", "XDG"))
        }
        told = subprocess.run(
            [
                sys.executable,
                "-c",
                "from huggingface_hub import constants as c; print(c.HF_HUB_CACHE)",
            ],
            env={**clean, **variables},
            capture_output=True,
            text=True,
            check=True,
        )
        assert hub.where(variables)[0] == told.stdout.strip()


def test_the_variable_that_decides_is_named():
    assert [hub.where(variables)[1] for variables in CASES] == [
        "",
        "HF_HOME",
        "HF_HUB_CACHE",
        "HUGGINGFACE_HUB_CACHE",
        "XDG_CACHE_HOME",
    ]


def test_bytes_are_counted_once_for_each_blob(tmp_path):
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / "a").write_bytes(b"x" * 1000)
    (tmp_path / "snapshots").mkdir()
    (tmp_path / "snapshots" / "model").symlink_to(tmp_path / "blobs" / "a")
    size, whole = hub.measured(str(tmp_path))
    assert whole
    assert 1000 <= size < 2000  # a link counts its own few bytes


def test_a_cache_that_takes_too_long_is_not_counted_to_the_end(tmp_path):
    for number in range(3):
        (tmp_path / str(number) / "more").mkdir(parents=True)
    size, whole = hub.measured(str(tmp_path), patience=-1)
    assert (size, whole) == (0, False)


def test_offline_and_where(subject, tmp_path, monkeypatch):
    for name in (*hub.CACHES, "HF_HOME", *hub.OFFLINE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.setenv("TRANSFORMERS_OFFLINE", "yes")
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "0")
    told = subject(environment={}, surroundings={}).fact(HubHome)
    assert (told.path, told.by, told.exists) == (str(tmp_path / "hub"), "HF_HOME", False)
    assert told.offline == ("TRANSFORMERS_OFFLINE",)
    assert told.room.total > 0
    assert not (tmp_path / "hub").exists()


def test_a_folder_that_can_be_made(tmp_path):
    assert hub.barred(str(tmp_path / "a" / "b")) == ""


def test_what_keeps_a_folder_from_being_made(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    assert "file is a file, and no folder" in hub.barred(str(tmp_path / "file" / "hub"))
    assert "file is a file" in hub.barred(str(tmp_path / "file"))
    assert "link is a link to nothing" in hub.barred(str(tmp_path / "link" / "hub"))
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    assert "may not write to" in hub.barred(str(tmp_path / "a"))


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="a system of files of Linux")
def test_a_folder_of_the_kernel_is_none_to_keep_files_in():
    assert "/proc is of the system's own" in hub.barred("/proc/nope/hub")

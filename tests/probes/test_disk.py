from __future__ import annotations

import os
import shutil

import pytest

from pipedoctor.fact import Unavailable
from pipedoctor.facts import Disk
from pipedoctor.probes import disk


def test_the_file_system_of_the_nearest_folder_is_measured(subject, tmp_path):
    path = str(tmp_path / "not" / "there" / "yet")
    measured = subject(files={"output_dir": path}).fact(Disk)
    usage = shutil.disk_usage(tmp_path)
    assert measured.path == path
    assert measured.total == usage.total
    assert abs(measured.free - usage.free) < 0.05 * usage.total  # others write to it meanwhile
    assert not os.path.exists(tmp_path / "not")


def test_the_disk_is_that_of_output_dir_not_of_the_working_directory(
    subject, tmp_path, monkeypatch
):
    (tmp_path / "here").mkdir()
    (tmp_path / "mounted").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    real, asked = os.statvfs, []

    def statvfs(folder):
        asked.append(os.path.realpath(folder))
        return real(folder)

    monkeypatch.setattr(os, "statvfs", statvfs)
    measured = subject(files={"output_dir": str(tmp_path / "mounted" / "run")}).fact(Disk)
    assert asked == [os.path.realpath(tmp_path / "mounted")]
    assert measured.total == shutil.disk_usage(tmp_path).total


def test_a_link_to_another_disk_is_followed(subject, tmp_path, monkeypatch):
    (tmp_path / "big").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "big")
    monkeypatch.chdir(tmp_path)
    assert os.path.realpath(disk.existing("out/run")) == os.path.realpath(tmp_path / "big")


@pytest.mark.parametrize(
    ("path", "folder"), [("a/b/c", "a"), ("a", "a"), ("a/file/x", "a"), ("", ".")]
)
def test_the_nearest_folder(tmp_path, monkeypatch, path, folder):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").touch()
    monkeypatch.chdir(tmp_path)
    assert disk.existing(path) == str((tmp_path / folder).resolve())


def test_the_environment_overrides_the_machine(subject):
    stated = {"disk_free": 61_200_000_000, "disk_total": 10**12}
    measured = subject(environment=stated, files={"output_dir": "out"}).fact(Disk)
    assert (measured.path, measured.free, measured.total) == ("out", 61_200_000_000, 10**12)
    assert measured.summary()["free"] == 61_200_000_000


def test_of_a_total_that_was_not_stated_nothing_is_said(subject):
    measured = subject(environment={"disk_free": 5}, files={"output_dir": "out"}).fact(Disk)
    assert measured.summary() == {"path": "out", "free": 5}
    with pytest.raises(Unavailable, match="disk_total"):
        _ = measured.total


def test_the_settings_name_the_folder(subject):
    stated = {"disk_free": 5, "transformers": "5.23.0"}
    files = {"train": "train.csv"}
    named = subject(environment=stated, files=files, settings={"output_dir": "~/out"})
    assert named.fact(Disk).path == "~/out"
    assert subject(environment=stated, settings={}).fact(Disk).path == disk.DEFAULT


@pytest.mark.parametrize("value", [3, True, ["out"]])
def test_a_folder_that_is_none(subject, value):
    with pytest.raises(Unavailable, match="no path"):
        subject(settings={"output_dir": value}).fact(Disk)


@pytest.mark.parametrize("free", ["61 GB", True, None])
def test_a_size_that_is_none(subject, free):
    with pytest.raises(Unavailable, match="no size"):
        subject(environment={"disk_free": free}, files={"output_dir": "out"}).fact(Disk)


def test_without_a_folder_there_is_no_disk(subject):
    with pytest.raises(Unavailable, match="no settings"):
        subject().fact(Disk)


def test_a_home_folder_is_found(subject, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    measured = subject(files={"output_dir": "~/runs/one"}).fact(Disk)
    assert (measured.path, measured.total) == ("~/runs/one", shutil.disk_usage(tmp_path).total)

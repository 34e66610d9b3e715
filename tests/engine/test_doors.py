"""What packages declare is read from their files, and is what `importlib.metadata` tells."""

from __future__ import annotations

import sys
import zipfile
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from pipedoctor import doors

GROUPS = ("console_scripts", "pytest11", "pipedoctor.checks", "pipedoctor.frameworks")

DECLARED = """
# doors
[pipedoctor.checks]
mine = my_checks

[console_scripts]
mine = my_checks.cli:main [extra]
"""


def package(folder: Path, name: str, text: str = DECLARED) -> None:
    metadata = folder / f"{name}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name.partition('-')[0]}\n")
    (metadata / "entry_points.txt").write_text(text)


def asked() -> dict[str, list[list[str]]]:
    return {
        group: sorted([point.name, point.value] for point in entry_points(group=group))
        for group in GROUPS
    }


def read() -> dict[str, list[list[str]]]:
    return {group: sorted(points) for group, points in doors.declared(GROUPS).items()}


def test_of_what_is_installed_here_the_files_tell_the_same() -> None:
    assert read() == asked()
    assert len(read()["console_scripts"]) > 1


def test_what_stands_ahead_in_the_path_hides_what_comes_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path / "b", "My.Checks-1.0", DECLARED.replace("my_checks", "old_checks"))
    package(tmp_path / "a", "my_checks-2.0")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "a"), str(tmp_path / "b")])
    assert read() == asked()
    assert ["mine", "my_checks"] in read()["pipedoctor.checks"]
    assert ["mine", "old_checks"] not in read()["pipedoctor.checks"]


def test_a_package_in_a_zip_file_is_asked_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path, "zipped-1.0")
    archive = tmp_path / "zipped.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in (tmp_path / "zipped-1.0.dist-info").iterdir():
            file.write(path, path.relative_to(tmp_path))
    monkeypatch.setattr(sys, "path", [*sys.path, str(archive)])
    assert ["mine", "my_checks"] in read()["pipedoctor.checks"]
    assert read() == asked()


def test_a_file_that_cannot_be_read_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path, "good-1.0")
    package(tmp_path, "bad-1.0")
    (tmp_path / "bad-1.0.dist-info" / "entry_points.txt").write_bytes(
        b"[pipedoctor.checks]\n\xff=x"
    )
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    assert ["mine", "my_checks"] in read()["pipedoctor.checks"]

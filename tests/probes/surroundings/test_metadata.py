from __future__ import annotations

import importlib.metadata
import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipedoctor.probes.surroundings.metadata import Damaged, Installed, installed, normal


@pytest.fixture
def site(tmp_path):
    """Write a package's metadata into a folder, and return the folder."""

    def write(name, text, folder="site", **files):
        path = tmp_path / folder / name
        path.mkdir(parents=True)
        if text is not None:
            (path / "METADATA").write_text(text)
        for file, content in files.items():
            (path / file.replace("_", ".", 1).replace("direct.url", "direct_url")).write_text(
                content
            )
        return str(tmp_path / folder)

    return write


def test_all_that_is_installed_here_is_as_python_says_it():
    ours = {}
    for one in installed(sys.path):
        if isinstance(one, Installed):
            ours.setdefault(normal(one.name), (one.version, sorted(one.requires)))
    theirs = {}
    for one in importlib.metadata.distributions():
        # pipedoctor itself may be installed twice: as a working copy, and as what is tested
        told = (one.version, sorted(one.requires or ()))
        theirs.setdefault(normal(one.metadata["Name"]), told)
    assert len(ours) > 20
    assert ours == theirs


def test_what_a_package_declares(site):
    folder = site(
        "some_package-1.0.dist-info",
        "Metadata-Version: 2.1\nName: Some.Package\nVersion: 1.0\nRequires-Dist: numpy>=1.20\n"
        "Description: a\n  folded: line\nRequires-Dist: tqdm; extra == 'x'\n\nName: not a field\n",
    )
    (one,) = installed([folder])
    assert (one.name, one.version, one.folder) == ("Some.Package", "1.0", folder)
    assert one.requires == ("numpy>=1.20", "tqdm; extra == 'x'")


def test_a_folder_that_stands_twice_in_the_path_is_read_once(site):
    folder = site("a-1.dist-info", "Name: a\nVersion: 1\n")
    assert len(list(installed([folder, folder, f"{folder}/", f"{folder}/missing"]))) == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "it has no METADATA"),
        ("", "METADATA states no name"),
        ("Name: torch\n\nVersion: 2.9\n", "METADATA states no version"),
        ("\x00\x01\x02 no header", "METADATA states no name"),
    ],
)
def test_metadata_that_tell_nothing(site, text, reason):
    (one,) = installed([site("torch-2.9.dist-info", text)])
    assert isinstance(one, Damaged)
    assert one.reason == reason


def test_metadata_that_are_a_folder(tmp_path):
    (tmp_path / "a-1.dist-info" / "METADATA").mkdir(parents=True)
    (one,) = installed([str(tmp_path)])
    assert one.reason == "METADATA can't be read: Is a directory"


def test_an_old_egg(tmp_path):
    egg = tmp_path / "old.egg-info"
    egg.mkdir()
    (egg / "PKG-INFO").write_text("Name: old\nVersion: 0.1\n")
    (egg / "requires.txt").write_text("numpy>=1\n\n[extra]\ntorch\n")
    (tmp_path / "older.egg-info").write_text("Name: older\nVersion: 0.2\n")
    found = {one.name: (one.version, one.requires) for one in installed([str(tmp_path)])}
    assert found == {"old": ("0.1", ("numpy>=1",)), "older": ("0.2", ())}


@pytest.mark.parametrize(
    ("told", "source"),
    [
        ({"url": "file:///src/peft", "dir_info": {"editable": True}}, "/src/peft"),
        ({"url": "file:///src/peft", "dir_info": {}}, ""),
        ({"url": "https://x", "vcs_info": {}}, ""),
        ([], ""),
    ],
)
def test_a_working_copy(tmp_path, told, source):
    path = tmp_path / "peft-1.dist-info"
    path.mkdir()
    (path / "METADATA").write_text("Name: peft\nVersion: 1\n")
    (path / "direct_url.json").write_text(json.dumps(told))
    (one,) = installed([str(tmp_path)])
    assert one.source == source


@given(st.binary(max_size=200))
def test_whatever_bytes_are_there_tell_a_package_or_a_reason(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("site")
    (folder / "a-1.dist-info").mkdir()
    (folder / "a-1.dist-info" / "METADATA").write_bytes(content)
    (one,) = installed([str(folder)])
    assert isinstance(one, (Installed, Damaged))

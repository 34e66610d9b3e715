from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from contextlib import suppress

import pytest

from pipedoctor.fact import Unavailable
from pipedoctor.facts import Environment
from pipedoctor.probes import environment, installed
from pipedoctor.probes.environment import PACKAGES, visible


def _cpu() -> str | None:
    try:
        return importlib.metadata.version("tensorflow-cpu")
    except importlib.metadata.PackageNotFoundError:
        return None


def test_versions_are_those_that_importlib_metadata_finds(subject):
    expected = {}
    for name in PACKAGES:
        try:
            expected[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    for kind in installed.OF_TENSORFLOW:  # they hold the module tensorflow as well
        with suppress(importlib.metadata.PackageNotFoundError):
            expected.setdefault("tensorflow", importlib.metadata.version(f"tensorflow-{kind}"))
    measured = subject(environment={}).fact(Environment)
    if (found := _cpu()) is not None:  # TensorFlow, in a package of a longer name
        expected.setdefault("tensorflow", found)
    assert dict(measured.versions) == expected
    assert measured.python == ".".join(str(number) for number in sys.version_info[:3])


def test_nothing_heavy_is_imported_for_it():
    code = (
        "import sys; from pipedoctor.parts import Parts; from pipedoctor.pipeline import Pipeline;"
        "from pipedoctor.probes import environment as e;"
        "Pipeline(Parts({}), [e.environment]).fact(e.Environment);"
        "print({'importlib.metadata', 'email', 'pathlib', 'tempfile', 'torch'} & set(sys.modules))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"


def test_the_folder_further_ahead_in_the_path_wins(tmp_path, monkeypatch):
    for folder, entry in [
        ("first", "Some_Package-2.0.dist-info"),
        ("second", "some_package-1.0.dist-info"),
        ("second", "other-3.1-py3.11.egg-info"),
        ("second", "unasked-4.0.dist-info"),
        ("second", "some_package"),
    ]:
        (tmp_path / folder / entry).mkdir(parents=True)
    (tmp_path / "a.zip").write_text("an entry of sys.path need not be a folder")
    entries = ["first", "second", "a.zip", "missing"]
    monkeypatch.setattr(sys, "path", [str(tmp_path / entry) for entry in entries])
    assert installed.versions(["some-package", "other"]) == {"some-package": "2.0", "other": "3.1"}


def test_a_package_that_holds_tensorflow_under_another_name_is_tensorflow(tmp_path, monkeypatch):
    for entry in ("tensorflow_cpu-2.21.0.dist-info", "tensorflow_io-0.37.1.dist-info"):
        (tmp_path / entry).mkdir()
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert installed.versions(PACKAGES) == {"tensorflow": "2.21.0"}
    assert installed.versions(["torch"]) == {}


def test_what_is_stated_overrides_the_machine_value_by_value(subject):
    stated = {"transformers": "4.46.3", "wandb": "0.16", "gpus": 4, "python": "3.10.1"}
    measured = subject(environment=stated).fact(Environment)
    assert measured.versions["transformers"] == "4.46.3"
    assert measured.versions["wandb"] == "0.16"
    assert (measured.gpus, measured.python) == (4, "3.10.1")
    here = installed.versions(PACKAGES)
    assert {**here, "transformers": "4.46.3", "wandb": "0.16"} == dict(measured.versions)


def test_none_states_that_a_package_is_not_installed(subject):
    assert "numpy" in subject(environment={}).fact(Environment).versions
    assert "numpy" not in subject(environment={"numpy": None}).fact(Environment).versions


@pytest.mark.parametrize("gpus", ["two", -1, True, 1.5])
def test_a_count_that_is_none_is_not_known(subject, gpus):
    measured = subject(environment={"gpus": gpus}).fact(Environment)
    with pytest.raises(Unavailable, match="no count"):
        _ = measured.gpus


def test_an_environment_that_is_no_mapping_is_refused(subject):
    with pytest.raises(Unavailable, match="not a mapping"):
        subject(environment="linux").fact(Environment)


@pytest.mark.parametrize(
    ("present", "listed", "expected"),
    [
        (4, None, 4),
        (4, "", 0),
        (4, "-1", 0),
        (4, "0,1", 2),
        (4, " 2 , 3 ", 2),
        (4, "0,7,1", 1),
        (2, "GPU-8932f937,GPU-1234", 2),
        (0, "0,1", 0),
    ],
)
def test_devices_that_cuda_leaves_visible(present, listed, expected):
    assert visible(present, listed) == expected


@pytest.mark.skipif(sys.platform != "linux", reason="the driver's files are Linux's")
def test_gpus_are_counted_by_the_files_of_the_driver(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(os.path, "exists", lambda path: False)
    devices = ["nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm", "null"]
    monkeypatch.setattr(os, "listdir", lambda folder: devices if folder == "/dev" else [])
    assert environment._gpus() == 2


@pytest.mark.skipif(sys.platform != "linux", reason="the driver's files are Linux's")
def test_other_makers_gpus_are_not_guessed_at(monkeypatch):
    monkeypatch.setattr(os.path, "exists", lambda path: path == "/dev/kfd")
    assert "kfd" in environment._gpus().reason

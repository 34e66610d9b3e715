from __future__ import annotations

import site

import pytest

from pipedoctor.fact import Unavailable
from pipedoctor.facts import Packages
from pipedoctor.probes.surroundings import packages


@pytest.fixture
def put(tmp_path):
    """Install a package, as far as its metadata go."""

    def write(folder, name, version):
        path = tmp_path / folder / f"{name}-{version}.dist-info"
        path.mkdir(parents=True)
        (path / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n")
        return str(tmp_path / folder)

    return write


def test_two_versions_in_one_folder_are_mixed(put):
    folder = put("site", "transformers", "4.57.6")
    put("site", "transformers", "5.23.0")
    (found,) = packages.measured([folder], None).copies
    assert found.together
    assert found.copies == (("4.57.6", folder), ("5.23.0", folder))


def test_the_users_own_copy_comes_first(put, monkeypatch):
    own, shared = put("own", "torch", "2.1.0"), put("shared", "torch", "2.9.0")
    put("shared", "jupyter", "1.0")
    monkeypatch.setattr(site, "ENABLE_USER_SITE", True)
    monkeypatch.setattr(site, "getusersitepackages", lambda: own)
    told = packages.measured([own, shared], None)
    (found,) = told.copies
    assert (found.package, found.user_site, found.together) == ("torch", True, False)
    assert told.versions == {"torch": "2.1.0"}
    monkeypatch.setattr(site, "ENABLE_USER_SITE", False)
    assert not packages.measured([own, shared], None).copies[0].user_site


def test_what_report_to_all_means(put):
    folder = put("site", "wandb", "0.27")
    put("site", "tensorboardX", "2.6")
    put("site", "mlflow_skinny", "3.0")
    assert packages.measured([folder], None).reporters == ("mlflow", "tensorboard", "wandb")


def test_files_that_hide_packages(tmp_path):
    for name in ("torch.py", "datasets.py", "random.py", "evaluate.py", "train.py", "test.py"):
        (tmp_path / name).write_text("")
    (tmp_path / "tokenizers").mkdir()  # without __init__.py it hides nothing
    (tmp_path / "peft").mkdir()
    (tmp_path / "peft" / "__init__.py").write_text("")
    (tmp_path / "json.txt").write_text("")
    assert packages.hidden(str(tmp_path)) == {
        "datasets.py": "datasets",
        "peft": "peft",
        "random.py": "random",
        "torch.py": "torch",
    }


def test_a_folder_that_can_not_be_listed_hides_nothing(tmp_path):
    assert packages.hidden(str(tmp_path / "missing")) == {}
    assert packages.hidden(None) == {}


def test_the_source_of_a_package_hides_nothing_of_it(tmp_path):
    """Someone who works on transformers stands in its repository, where it lies in src."""
    (tmp_path / "src" / "transformers").mkdir(parents=True)
    (tmp_path / "src" / "transformers" / "__init__.py").write_text("")
    assert packages.hidden(str(tmp_path)) == {}


def test_without_the_package_packaging_nothing_is_said_of_requirements(put, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "packaging.version", None)
    told = packages.measured([put("site", "torch", "2.9.0")], None)
    with pytest.raises(Unavailable, match="the package packaging"):
        _ = told.conflicts


def test_damaged_metadata_hide_no_other_package(put, tmp_path):
    folder = put("site", "torch", "2.9.0")
    (tmp_path / "site" / "numpy-2.1.0.dist-info").mkdir()
    told = packages.measured([folder], None)
    assert told.versions == {"torch": "2.9.0"}
    assert list(told.damaged.values()) == ["it has no METADATA"]


def test_a_package_that_was_copied_has_no_metadata(put, tmp_path):
    folder = put("site", "numpy", "2.4.6")
    for name in ("torch", "numpy", "mine"):
        (tmp_path / "site" / name).mkdir()
        (tmp_path / "site" / name / "__init__.py").write_text("")
    told = packages.measured([folder], None)
    assert told.damaged == {f"{folder}/torch": "this package has no metadata beside it"}
    assert packages.measured([folder], folder).damaged == {}


def test_this_environment(subject):
    told = subject(environment={}, surroundings={}).fact(Packages)
    assert {"torch", "transformers", "numpy"} <= set(told.versions)
    assert told.damaged == {}

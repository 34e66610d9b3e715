"""`pipedoctor env` on the real command line: here, in a bare environment, in a damaged one."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import venv
from importlib.util import find_spec
from pathlib import Path

import pytest
from env_pages import paragraphs, paths, run, steady

NEEDED = ("yaml", "rich", "markdown_it", "mdurl", "pygments", "packaging", "tomli")
"""What pipedoctor asks for, and what that asks for; not all of it in every version of Python."""


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """An environment with nothing but pipedoctor and what it needs."""
    folder = tmp_path_factory.mktemp("bare")
    venv.EnvBuilder(with_pip=False, symlinks=True).create(folder)
    (site,) = folder.glob("lib/python*/site-packages")
    for spec in filter(None, map(find_spec, NEEDED)):
        (site / spec.name).symlink_to(Path(spec.origin).parent)
    info = importlib.metadata.distribution("pipedoctor")._path
    (site / info.name).symlink_to(info)
    (site / "ours.pth").write_text("\n".join(paths().split(os.pathsep)))
    return str(folder / "bin" / "python")


def test_a_bare_environment(bare, tmp_path, snapshot):
    done = run(bare, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []
    prefix = str(Path(bare).parents[1])
    told = steady(done.stdout, {prefix: "PREFIX", platform.python_version(): "VERSION"})
    snapshot("env-bare.txt", told)


def test_a_bare_environment_as_json(bare, tmp_path):
    done = run(bare, "--output-format", "json", cwd=tmp_path)
    told = json.loads(done.stdout)
    assert told["findings"] == []
    assert told["env"]["Packages"]["versions"] == {}
    assert told["env"]["TriedImports"]["of"] == {}
    assert told["env"]["Machine"]["here"]["path"] == str(tmp_path)


def test_damaged_metadata_and_a_package_that_can_not_be_imported(bare, tmp_path):
    site = tmp_path / "more"
    for name, text in {
        "torchvision-0.1.dist-info/METADATA": "Name: torchvision\nVersion: 0.1\n"
        "Requires-Dist: torch==9.9\n",
        "torch-2.9.0.dist-info/METADATA": "Name: torch\nVersion: 2.9.0\n",
        "torch/__init__.py": "raise OSError('libtorch_cpu.so: cannot open shared object file')",
        "torchvision/__init__.py": "raise RuntimeError('operator torchvision::nms does not exist')",
        "numpy-2.0.dist-info/RECORD": "",
    }.items():
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    done = run(bare, "--output-format", "json", cwd=tmp_path, PYTHONPATH=str(site))
    assert done.returncode == 1, done.stdout + done.stderr
    told = json.loads(done.stdout)
    found = {(one["code"], one["severity"]): one["message"] for one in told["findings"]}
    assert set(found) == {
        ("ENV008", "warning"),
        ("ENV015", "error"),
        ("ENV015", "warning"),
        ("ENV019", "note"),
    }
    requirement = found["ENV008", "warning"]
    assert requirement == "torchvision 0.1 needs torch==9.9; 2.9.0 is installed"
    assert "torchvision::nms does not exist" in found["ENV015", "warning"]
    assert "torch is installed, and to import it raises OSError" in found["ENV015", "error"]
    reasons = {one["code"]: one["reason"] for one in told["checks"]}
    assert "OSError: libtorch_cpu.so: cannot open shared object file" in reasons["ENV006"]


def test_this_environment_without_children(tmp_path):
    (tmp_path / "torch.py").write_text("raise SystemExit('the wrong one')")
    done = run(
        sys.executable,
        "--quick",
        cwd=tmp_path,
        PYTHONPATH=paths(),
        TRANSFORMERS_CACHE="/scratch/models",
        HF_HOME="",
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "torch.py of the working directory is imported instead" in done.stdout
    assert "TRANSFORMERS_CACHE is set" in done.stdout
    assert "no other process was to be started" in done.stdout
    assert "Something is wrong: 2 warnings" in done.stdout


def test_nothing_heavy_is_imported(tmp_path):
    code = (
        "import sys; from pipedoctor.cli import main; main(['env', '--quick', '-o', 'report.txt']);"
        "print({'torch', 'numpy', 'tensorflow', 'transformers', 'datasets', 'email'}"
        " & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": paths()},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "set()"
    assert (tmp_path / "report.txt").read_text().startswith("[")


def test_this_environment_with_all_its_imports(tmp_path):
    done = run(sys.executable, cwd=tmp_path, PYTHONPATH=paths())
    assert done.returncode == 0, done.stdout + done.stderr
    told = paragraphs(done.stdout)
    assert list(told) == NAMES
    marks = {name: lines[0][1] for name, lines in told.items()}
    assert marks["Packages"] in "✓·", done.stdout  # an environment beside another has two of some
    assert (marks["Imports"], marks["Reporting"], marks["Variables"]) == ("✓", "✓", "✓")
    versions = " ".join(told["Packages"])
    for name in ("torch", "transformers", "accelerate", "datasets", "numpy"):
        assert f"{name} {importlib.metadata.version(name)}" in versions
    whole, _, all_ = told["Imports"][0].partition("[✓] ")[2].partition(" of ")
    assert all_.startswith(f"{whole} package"), told["Imports"]
    assert "Nothing is wrong that was looked for" in done.stdout


NAMES = [
    "Packages",
    "Imports",
    "GPUs",
    "Processors",
    "Memory",
    "Disk",
    "Hub cache",
    "Reporting",
    "Variables",
]

"""
Every argument that came or went between two real releases is named against either of them.

The older release is unpacked, not installed: its sources and its name are all that is read.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.deep

OLDER = "4.57.6"


@pytest.fixture(scope="session")
def older(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the older release as site-packages would."""
    folder = tmp_path_factory.mktemp("older")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--dest", str(folder), f"transformers=={OLDER}"]
    subprocess.run(command, check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="session")
def installed() -> Path:
    spec = importlib.util.find_spec("transformers")
    if spec is None or spec.origin is None:
        pytest.skip("transformers is not installed")
    return Path(spec.origin).parent.parent


def declared(packages: Path) -> set[str]:
    """Return the fields of TrainingArguments, as the text of its class has them."""
    tree = ast.parse((packages / "transformers" / "training_args.py").read_text())
    (found,) = [
        n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "TrainingArguments"
    ]
    names = {
        n.target.id
        for n in found.body
        if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)
    }
    return {name for name in names if not name.startswith("_")}


def spoken_of(folder: Path, key: str, packages: Path) -> list[dict[str, object]]:
    """Return what the command line finds about one key, with that release in the way."""
    config = folder / "config.json"
    config.write_text(json.dumps({"output_dir": "out", "do_train": True, key: "1"}))
    command = [sys.executable, "-m", "pipedoctor", "check", str(config), "--depth", "static"]
    done = subprocess.run(
        [*command, "--output-format", "json", "--select", "VER"],
        env={**os.environ, "PYTHONPATH": f"{packages}{os.pathsep}" + os.getenv("PYTHONPATH", "")},
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    findings = json.loads(done.stdout)["findings"]
    return [f for f in findings if f["where"]["key"] == key]


def test_what_went_is_named_with_its_replacement(
    older: Path, installed: Path, tmp_path: Path
) -> None:
    gone = declared(older) - declared(installed)
    assert len(gone) >= 28
    for key in sorted(gone):
        (finding,) = spoken_of(tmp_path, key, installed)
        assert finding["code"] in {"VER004", "VER006"}, key
        assert key in str(finding["message"])
        assert finding["remedy"], key


def test_what_came_is_named_on_the_older_release(
    older: Path, installed: Path, tmp_path: Path
) -> None:
    new = declared(installed) - declared(older)
    assert len(new) >= 10
    for key in sorted(new):
        (finding,) = spoken_of(tmp_path, key, older)
        assert finding["code"] == "VER002", key
        assert f"transformers {OLDER} has no argument {key}" in str(finding["message"])


def test_what_both_have_is_unknown_to_neither(
    older: Path, installed: Path, tmp_path: Path
) -> None:
    both = sorted(declared(older) & declared(installed))
    for key in both:
        for packages in (older, installed):
            codes = {f["code"] for f in spoken_of(tmp_path, key, packages)}
            assert not codes & {"VER001", "VER002", "VER004", "VER006", "VER012"}, key

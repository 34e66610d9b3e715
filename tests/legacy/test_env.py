"""`pipedoctor env` in the environment of transformers 4.57, which lies beside the first one."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from env_pages import paragraphs, paths, run


@pytest.mark.smoke
def test_the_environment_of_the_older_transformers(tmp_path: Path) -> None:
    done = run(sys.executable, cwd=tmp_path, PYTHONPATH=paths())
    assert done.returncode == 0, done.stdout + done.stderr
    told = paragraphs(done.stdout)
    packages = " ".join(told["Packages"])
    for name in ("transformers", "datasets", "tf-keras", "torch"):
        assert f"{name} {version(name)}" in packages
    assert version("transformers").startswith("4.57.")
    # What is newer in the first environment is hidden by what this one has.
    assert told["Packages"][0].startswith("[·]")
    assert f"transformers {version('transformers')} (5." in packages
    assert told["Imports"][0].startswith("[✓]")  # not one of them is broken
    assert "tensorflow" in told["Imports"][1]
    assert "Nothing is wrong that was looked for: 1 note" in done.stdout

"""A stranger adds a check: one file, and it runs, is listed and has its page."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from cli.conftest import Run

HOUSE = Path(__file__).parents[2]


def test_one_file_is_a_check(pipedoctor: Run, project: Path, tmp_path: Path) -> None:
    house = tmp_path / "house"
    shutil.copytree(HOUSE / "checks", house / "checks")
    # The copy stands before the installed package, as another checkout would.
    environment = {"PYTHONPATH": str(house / "checks")}
    done = pipedoctor("new", "HYP901", "seed-above-a-thousand", cwd=house, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert (house / "checks/pipedoctor_checks/hyperparameters/seed_above_a_thousand.py").is_file()

    assert "HYP901" in pipedoctor("rules", env=environment).stdout
    assert "seed-above-a-thousand" in pipedoctor("rule", "HYP901", env=environment).stdout
    (project / "c.json").write_text('{"output_dir": "out", "seed": 4242, "max_steps": 10}')
    report = pipedoctor("check", "c.json", "--depth", "static", env=environment)
    assert "! HYP901 seed-above-a-thousand" in report.stdout
    assert report.returncode == 1

    verify = (
        "from pipedoctor import registry, testing\n"
        "check = registry.load()['HYP901']\n"
        "assert len(check.examples) == 2\n"
        "for example in check.examples: testing.verify(check, example)\n"
    )
    environment |= {"PATH": "/usr/bin", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    subprocess.run([sys.executable, "-c", verify], env=environment, check=True)


def test_nothing_is_overwritten(pipedoctor: Run, tmp_path: Path) -> None:
    words = ["new", "HYP901", "seed-above-a-thousand", "--folder", str(tmp_path / "mine")]
    assert pipedoctor(*words).returncode == 0
    written = tmp_path / "mine" / "seed_above_a_thousand.py"
    written.write_text("my own words")
    done = pipedoctor(*words)
    assert (done.returncode, "File exists" in done.stderr) == (2, True)
    assert written.read_text() == "my own words"


def test_what_is_no_code_or_name_or_is_taken(pipedoctor: Run) -> None:
    for words, text in (
        (["HYP1", "x"], "is no code"),
        (["HYP901", "Not a name!"], "is no name"),
        (["LAB001", "x"], "is taken by label-out-of-range"),
    ):
        done = pipedoctor("new", *words)
        assert (done.returncode, text in done.stderr) == (2, True)

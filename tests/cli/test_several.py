"""Several targets in one call, in every format."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml
from cli.conftest import Run

GOOD = '{"output_dir": "out", "learning_rate": 1e-5, "max_steps": 100, "logging_steps": 10}'
BAD = '{"output_dir": "out", "evaluation_strategy": "no"}'
HOOKS = Path(__file__).parents[2] / ".pre-commit-hooks.yaml"


@pytest.fixture
def targets(project: Path) -> tuple[str, ...]:
    (project / "a.json").write_text(GOOD)
    (project / "b.json").write_text(BAD)
    (project / "not.json").write_text("{")
    (project / "train.py").write_text("x = 1\n")
    return ("a.json", "b.json", "not.json", "train.py")


def test_one_report_each_and_the_worst_status(pipedoctor: Run, targets: tuple[str, ...]) -> None:
    words = ("check", "--depth", "static")
    done = pipedoctor(*words, *targets)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "not.json" in done.stderr
    assert [line for line in done.stdout.splitlines() if " · transformers" in line][1].startswith(
        "b.json"
    )
    assert done.stdout.splitlines()[-1].startswith("4 targets: ")
    assert done.stdout.splitlines()[-1].endswith("1 not ready, 1 can't be read · 1 error")
    assert pipedoctor(*words, "a.json", "b.json").returncode == 1
    assert pipedoctor(*words, "a.json", "train.py").returncode == 0
    assert pipedoctor(*words, "a.json", "b.json", "--exit-zero").returncode == 0


def test_json_for_one_and_for_several(pipedoctor: Run, targets: tuple[str, ...]) -> None:
    words = ("check", "--depth", "static", "--output-format", "json")
    one = json.loads(pipedoctor(*words, "b.json").stdout)
    again = json.loads(pipedoctor(*words, "b.json", "b.json").stdout)
    assert one.keys() == again.keys()
    several = json.loads(pipedoctor(*words, *targets).stdout)
    assert several["schema_version"] == 1
    assert [report["target"] for report in several["reports"]] == ["a.json", "b.json", "train.py"]
    assert [entry["target"] for entry in several["unreadable"]] == ["not.json"]
    (found,) = several["reports"][1]["findings"]
    assert (found["code"], found["where"]) == ("VER001", one["findings"][0]["where"])


def test_the_other_formats(pipedoctor: Run, targets: tuple[str, ...], project: Path) -> None:
    words = ("check", "--depth", "static", *targets, "--output-format")
    concise = pipedoctor(*words, "concise").stdout.splitlines()
    assert concise[0].startswith("b.json:1: VER001 transformers ")
    assert concise[-1].startswith("4 targets: ")
    github = pipedoctor(*words, "github").stdout.splitlines()
    assert github[0].startswith(
        "::error file=b.json,line=1,title=VER001 evaluation-strategy-renamed::"
    )
    assert github[1].startswith("::error file=not.json,title=can't be read::")
    pipedoctor(*words, "sarif", "-o", "out.sarif")
    (run,) = json.loads((project / "out.sarif").read_text())["runs"]
    (rule,) = run["tool"]["driver"]["rules"]
    assert rule["id"] == "VER001"
    assert "Fails:" in rule["help"]["markdown"]
    assert [result["ruleId"] for result in run["results"]] == ["VER001"]
    pipedoctor(*words, "junit", "-o", "out.xml")
    suites = ET.parse(project / "out.xml").getroot()
    assert [suite.get("name") for suite in suites] == ["a.json", "b.json", "train.py", "not.json"]
    assert (suites.get("failures"), suites.get("errors")) == ("1", "1")


def test_a_format_of_one_target_as_other_verbs_print_it(pipedoctor: Run, project: Path) -> None:
    (project / "b.json").write_text(BAD)
    done = pipedoctor("check", "b.json", "--depth", "static", "--output-format", "concise")
    assert done.stdout.splitlines()[-1].startswith("Not ready: 1 error")
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    for name in ("concise", "github", "sarif", "junit"):
        words = ("check", "b.json", "--depth", "static", "--output-format", name)
        done = pipedoctor(*words, env=environment)
        assert (done.returncode, done.stderr) == (1, ""), name
        assert done.stdout.isascii()


def test_arguments_are_for_one_script(pipedoctor: Run, targets: tuple[str, ...]) -> None:
    done = pipedoctor("check", "train.py", "a.json", "--depth", "static", "--", "--lr", "1")
    assert done.returncode == 2
    assert "the arguments after -- are for one script" in done.stderr


def test_the_report_is_written_over_none_of_them(
    pipedoctor: Run, targets: tuple[str, ...]
) -> None:
    done = pipedoctor("check", "a.json", "b.json", "--depth", "static", "-o", "b.json")
    assert (done.returncode, "b.json is what is to be examined" in done.stderr) == (2, True)


def test_the_hook_of_pre_commit(pipedoctor: Run, targets: tuple[str, ...]) -> None:
    (hook,) = yaml.safe_load(HOOKS.read_text())
    program, *words = hook["entry"].split()
    assert (program, hook["language"], hook["require_serial"]) == ("pipedoctor", "python", True)
    done = pipedoctor(*words, "a.json", "b.json")
    assert (done.returncode, done.stdout[:15]) == (1, "b.json:1: VER00")
    for name in (
        "train.py",
        "x/finetune_bert.py",
        "conf/qnli_train_config.json",
        "train-args.yml",
    ):
        assert re.search(hook["files"], name), name
    for name in ("train.json", "trainer_state.json", "constrain.py", "train.pyc", "config.json"):
        assert not re.search(hook["files"], name), name

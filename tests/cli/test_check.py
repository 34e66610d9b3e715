"""`pipedoctor check` as users run it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from cli.conftest import Run, contents


def told(text: str) -> str:
    """Return a report without what depends on the machine, or on how many checks there are."""
    text = re.sub(r"[\d.]+ [kMGT]?B free", "N GB free", text)
    return re.sub(r"\d+ checks passed.*", "N checks passed, …", text, flags=re.DOTALL)


def codes(stdout: str) -> list[str]:
    return [finding["code"] for finding in json.loads(stdout)["findings"]]


def test_the_broken_example(pipedoctor: Run, snapshot: Callable[[str, str], None]) -> None:
    done = pipedoctor("check", "examples/qnli/broken.json")
    snapshot("qnli-broken.txt", told(done.stdout))
    assert done.returncode == 1


def test_the_healthy_example_of_which_nothing_is_written(
    pipedoctor: Run, snapshot: Callable[[str, str], None], project: Path
) -> None:
    before = contents(project)
    done = pipedoctor("check", "examples/qnli/healthy.json")
    snapshot("qnli-healthy.txt", told(done.stdout))
    assert done.returncode == 0
    assert contents(project) == before


@pytest.mark.parametrize("suffix", ["yaml", "toml"])
def test_the_same_in_other_formats(pipedoctor: Run, suffix: str) -> None:
    done = pipedoctor("check", f"examples/qnli/healthy.{suffix}", "--depth", "files")
    assert (done.returncode, "the model was not run" in done.stdout) == (0, True)


def test_json_holds_the_same_findings_and_proves_what_was_seen(pipedoctor: Run) -> None:
    done = pipedoctor("check", "examples/qnli/broken.json", "--output-format", "json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["ready"], report["schema_version"]) == (1, False, 1)
    first, *_ = report["findings"]
    assert (first["code"], first["where"]["line"]) == ("VER001", 11)
    labels = next(f for f in report["findings"] if f["code"] == "LAB001")
    assert labels["evidence"]["labels"] == [0, 1, 2]
    facts = {(fact["fact"], fact.get("split")): fact for fact in report["facts"]}
    assert facts["Labels", "train"]["rows"] == 300
    assert facts["Batch", "eval"]["rows"] > 0
    assert {check["status"] for check in report["checks"]} <= {
        "passed",
        "found",
        "skipped",
        "blocked",
    }


def test_each_depth_says_what_it_did_not_reach(pipedoctor: Run) -> None:
    done = pipedoctor("check", "examples/qnli/healthy.json", "--depth", "static")
    assert "needs --depth files" in " ".join(done.stdout.split())
    assert done.stderr == ""


def test_selection(pipedoctor: Run, config: Callable[..., str]) -> None:
    path = config(warmup_steps=5000, evaluation_strategy="epoch")
    words = ["check", path, "--depth", "files", "--output-format", "json"]
    assert codes(pipedoctor(*words).stdout) == ["VER001", "HYP003"]
    assert codes(pipedoctor(*words, "--select", "HYP").stdout) == ["HYP003"]
    assert codes(pipedoctor(*words, "--ignore", "ver001").stdout) == ["HYP003"]


def test_the_table_in_pyproject(
    pipedoctor: Run, config: Callable[..., str], project: Path
) -> None:
    path = config(warmup_steps=5000)
    words = ["check", path, "--depth", "files", "--output-format", "json"]
    table = project / "pyproject.toml"
    table.write_text('[tool.pipedoctor]\nseverity = { HYP003 = "note" }\n')
    assert pipedoctor(*words).returncode == 0
    table.write_text("[tool.pipedoctor]\nignore = ['HYP']\n")
    assert codes(pipedoctor(*words).stdout) == []
    table.write_text("[tool.pipedoctor.checks.HYP003]\nshare = 1000.0\n")
    assert codes(pipedoctor(*words).stdout) == []
    table.write_text("[tool.pipedoctor]\nignroe = ['HYP']\n")
    done = pipedoctor(*words)
    assert (done.returncode, "unknown key 'ignroe'" in done.stderr) == (2, True)


def test_exit_status(pipedoctor: Run, config: Callable[..., str]) -> None:
    warning = ["check", config(warmup_steps=5000), "--depth", "files"]
    assert pipedoctor(*warning).returncode == 1
    assert pipedoctor(*warning, "--fail-on", "error").returncode == 0
    assert pipedoctor(*warning, "--exit-zero").returncode == 0
    note = ["check", config(logging_steps=5000), "--depth", "files"]
    assert pipedoctor(*note).returncode == 0
    assert pipedoctor(*note, "--fail-on", "note").returncode == 1


def test_the_report_in_a_file(pipedoctor: Run, config: Callable[..., str], project: Path) -> None:
    words = ["check", config(), "--depth", "static", "-o"]
    assert pipedoctor(*words, "report.txt").stdout == ""
    assert "so far" in (project / "report.txt").read_text()
    before = (project / "config.json").read_text()
    done = pipedoctor(*words, "config.json")
    assert (done.returncode, "is what is to be examined" in done.stderr) == (2, True)
    assert (project / "config.json").read_text() == before
    done = pipedoctor(*words, "no/such/folder/report.txt")
    assert (done.returncode, "can't be written" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    "words",
    [
        ["check"],
        ["check", "x.json", "--depth", "deep"],
        ["check", "x.json", "--time", "0"],
        ["check", "healthy.json", "--select", "ZZZ"],
        ["nonsense"],
    ],
)
def test_wrong_usage(pipedoctor: Run, words: list[str]) -> None:
    done = pipedoctor(*words)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_bad_input_gets_one_sentence(pipedoctor: Run, project: Path) -> None:
    (project / "bad.json").write_text('{\n "learning_rate": 1e-3,\n}\n')
    for name in ("bad.json", "missing.json", "examples"):
        done = pipedoctor("check", name)
        assert done.returncode == 2
        assert done.stdout == ""
        assert done.stderr.startswith("pipedoctor: ")
        assert len(done.stderr.strip().splitlines()) == 1
        assert name in done.stderr


def test_a_reader_that_has_seen_enough_is_no_error(project: Path) -> None:
    import subprocess
    import sys

    line = f"{sys.executable} -m pipedoctor rules | head -1; echo status ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
    assert "status 0" in done.stdout
    assert done.stderr == ""


def test_without_home_and_in_the_c_locale(pipedoctor: Run, config: Callable[..., str]) -> None:
    environment = {
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONIOENCODING": "ascii",
        "HOME": "/nonexistent",
        "XDG_CACHE_HOME": "",
    }
    done = pipedoctor("check", config(warmup_steps=5000), "--depth", "files", env=environment)
    assert done.returncode == 1
    assert "! HYP003" in done.stdout


def test_modules_beside_the_config_are_not_imported(
    pipedoctor: Run, config: Callable[..., str], project: Path
) -> None:
    for name in ("random.py", "csv.py", "torch.py"):
        (project / name).write_text("open('imported', 'a').write(__name__)\n")
    done = pipedoctor("check", config(), "--output-format", "json", env={"PYTHONSAFEPATH": "1"})
    assert (done.returncode, json.loads(done.stdout)["ready"]) == (0, True)
    assert not (project / "imported").exists()


def test_verbose_lists_every_skipped_check_under_its_reason(
    pipedoctor: Run, tmp_path: Path
) -> None:
    config = tmp_path / "c.json"
    config.write_text('{"learning_rate": 2e-5}')
    words = ["check", str(config), "--depth", "static"]
    usual = pipedoctor(*words).stdout
    told = pipedoctor(*words, "--verbose").stdout
    checks = json.loads(pipedoctor(*words, "--output-format", "json").stdout)["checks"]
    skipped = {
        one["code"]: one["reason"].rstrip(".") for one in checks if one["status"] == "skipped"
    }

    assert told.startswith(usual)
    more = " ".join(told.removeprefix(usual).split())
    assert re.findall(r"[A-Z]{3}[0-9]{3}", usual) == []
    assert sorted(re.findall(r"[A-Z]{3}[0-9]{3}", more)) == sorted(skipped)
    assert all(f"skipped, {reason}:" in more for reason in skipped.values())

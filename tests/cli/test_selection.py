"""Which findings count, and how much: on the command line, in pyproject.toml, in comments."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from capture.pipelines import TRAINS
from cli.conftest import Run

# HYP003 and HYP005 are told by the text alone.
CONFIG = """\
output_dir: out
model_name_or_path: bert-base-uncased
learning_rate: 2e-5
max_steps: 100
warmup_steps: 500
logging_steps: 10
"""


@pytest.fixture
def check(pipedoctor: Run, project: Path):
    """Check a config by its text; return exit status, codes and the report."""
    (project / "c.yaml").write_text(CONFIG)

    def run(*words: str, targets: tuple[str, ...] = ("c.yaml",)):
        done = pipedoctor(
            "check", "--depth", "static", "--output-format", "json", *words, *targets
        )
        report = json.loads(done.stdout) if done.stdout else {}
        codes = sorted(found["code"] for found in report.get("findings", []))
        return done.returncode, codes, report

    return run


def stated(project: Path, text: str) -> None:
    (project / "pyproject.toml").write_text(f"[tool.pipedoctor]\n{text}\n")


def test_the_config_of_these_tests(check) -> None:
    status, codes, report = check()
    assert (status, codes) == (1, ["HYP003", "HYP005"])
    assert report["suppressed"] == []


def test_extend_select_adds_to_what_is_selected(check, project: Path) -> None:
    assert check("--select", "HYP003", "--extend-select", "HYP005")[1] == ["HYP003", "HYP005"]
    assert check("--select", "LAB", "--extend-select", "hyp003")[1] == ["HYP003"]
    stated(project, 'select = ["LAB"]\nextend-select = ["HYP005"]')
    assert check()[1] == ["HYP005"]
    assert check("--extend-select", "HYP003")[1] == ["HYP003", "HYP005"]


def test_the_longer_word_decides(check) -> None:
    assert check("--ignore", "HYP", "--extend-select", "HYP003")[1] == ["HYP003"]
    assert check("--select", "HYP", "--ignore", "HYP003")[1] == ["HYP005"]
    assert check("--select", "HYP003", "--ignore", "HYP003")[1] == []


def test_ignored_in_files_of_a_pattern(check, project: Path) -> None:
    status, codes, report = check("--per-file-ignores", "*.yaml:HYP")
    assert (status, codes) == (0, [])
    assert {(s["code"], s["by"], s["place"]) for s in report["suppressed"]} == {
        ("HYP003", "per-file-ignores", "*.yaml"),
        ("HYP005", "per-file-ignores", "*.yaml"),
    }
    assert check("--per-file-ignores", "*.json:HYP")[1] == ["HYP003", "HYP005"]
    stated(project, 'per-file-ignores = { "c.yaml" = ["HYP003"] }')
    assert check()[1] == ["HYP005"]
    assert check("--per-file-ignores", "c.yaml:HYP005")[1] == []


def test_severity_on_the_command_line(check, project: Path) -> None:
    assert check("--severity", "HYP003=note,HYP005=note")[0] == 0
    assert check("--severity", "hyp003=error", "--severity", "HYP005=note")[2]["findings"][0][
        "severity"
    ] == ("error")
    stated(project, 'severity = { HYP003 = "note", HYP005 = "note" }')
    assert check()[0] == 0
    assert check("--severity", "HYP003=warning")[0] == 1


def test_so_many_warnings_may_pass(check, project: Path) -> None:
    warnings = ("--severity", "HYP003=warning,HYP005=warning")
    assert check(*warnings, "--max-warnings", "2")[0] == 0
    assert check(*warnings, "--max-warnings", "1")[0] == 1
    assert check(*warnings, "--max-warnings", "1", "--fail-on", "error")[0] == 1
    assert check(*warnings, "--max-warnings", "2", "--fail-on", "error")[0] == 0
    assert check("--severity", "HYP003=error", "--max-warnings", "9")[0] == 1
    stated(project, "max-warnings = 2")
    assert check(*warnings)[0] == 0
    (project / "d.yaml").write_text(CONFIG)
    status, _, report = check(*warnings, targets=("c.yaml", "d.yaml"))
    assert (status, len(report["reports"])) == (1, 2)  # four in all


def test_a_comment_on_the_line(check, project: Path) -> None:
    text = CONFIG.replace("500", "500  # pipedoctor: ignore[HYP003] a long run follows")
    (project / "c.yaml").write_text(text)
    _, codes, report = check()
    assert codes == ["HYP005"]
    (one,) = report["suppressed"]
    assert (one["code"], one["by"], one["place"]) == ("HYP003", "comment", "c.yaml:5")
    assert one["reason"] == "a long run follows"


def test_a_comment_in_a_script(pipedoctor: Run, project: Path) -> None:
    line = "args = TrainingArguments('out', evaluation_strategy='epoch')"
    script = (
        "from transformers import TrainingArguments, Trainer\n{}{}\nTrainer(args=args).train()\n"
    )
    words = ("check", "train.py", "--depth", "static", "--output-format", "concise")
    (project / "train.py").write_text(script.format(line, ""))
    assert "train.py:2: VER001" in pipedoctor(*words).stdout
    (project / "train.py").write_text(script.format(line, "  # pipedoctor: ignore[VER001]"))
    done = pipedoctor(*words)
    assert "VER001" not in done.stdout
    assert "1 ignored" in done.stdout


def test_a_comment_in_a_script_that_is_run(pipedoctor: Run, project: Path) -> None:
    pytest.importorskip("transformers")
    wish = "max_steps=6, warmup_steps=500,  # pipedoctor: ignore[HYP003] for a test"
    (project / "train.py").write_text(TRAINS.replace("max_steps=6,", wish))
    done = pipedoctor("check", "train.py", "--output-format", "concise")
    assert (done.returncode, "1 ignored" in done.stdout) == (0, True), done.stdout


def test_a_comment_that_is_of_no_use_any_more(pipedoctor: Run, project: Path) -> None:
    text = CONFIG.replace("500", "5  # pipedoctor: ignore[HYP003]")
    (project / "c.yaml").write_text(text + "# pipedoctor: ignore-file[HYP005]\n")
    words = ("check", "c.yaml", "--depth", "static")
    done = pipedoctor(*words)
    assert done.returncode == 0
    assert "· RUN004 unused-ignore-comment" in done.stdout
    assert "The comment ignores HYP003, but HYP003 found nothing on line 5." in done.stdout
    assert "1 note · 1 ignored" in " ".join(done.stdout.split())
    assert pipedoctor(*words, "--fail-on", "note").returncode == 1
    assert "RUN004" not in pipedoctor(*words, "--ignore", "RUN004").stdout


def test_a_baseline_from_its_writing_to_its_end(pipedoctor: Run, project: Path) -> None:
    (project / "c.yaml").write_text(CONFIG)
    words = ("check", "c.yaml", "--depth", "static", "--output-format", "concise")
    done = pipedoctor(*words, "--write-baseline")
    assert (done.returncode, done.stderr) == (
        0,
        "pipedoctor: pipedoctor-baseline.json holds 2 findings\n",
    )
    assert "2 in the baseline" in done.stdout
    known = (*words, "--baseline", "pipedoctor-baseline.json")
    assert pipedoctor(*known).returncode == 0
    (project / "c.yaml").write_text("# moved\n" + CONFIG.replace("500", "400"))
    assert pipedoctor(*known).returncode == 0
    (project / "c.yaml").write_text(CONFIG + "evaluation_strategy: epoch\n")
    new = pipedoctor(*known)
    assert new.returncode == 1
    assert ": VER001 " in new.stdout
    assert "HYP003" not in new.stdout
    (project / "c.yaml").write_text(CONFIG.replace("500", "5"))
    told = pipedoctor(*known).stdout
    assert "1 finding of the baseline pipedoctor-baseline.json no longer occurs in c.yaml" in told
    assert "HYP003 warmup-outlasts-training" in told
    stated(project, 'baseline = "pipedoctor-baseline.json"')
    assert "holds 1 finding\n" in pipedoctor(*words, "--write-baseline").stderr
    assert "no longer" not in pipedoctor(*words).stdout
    elsewhere = ("check", "../c.yaml", *words[2:])
    (project / "below").mkdir()
    assert "1 in the baseline" in pipedoctor(*elsewhere, cwd=project / "below").stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--select", "HPY003"], "--select: no check has a code like 'HPY003'; did you mean HYP0"),
        (
            ["--extend-select", "LBA"],
            "--extend-select: no check has a code like 'LBA'; did you mean LAB?",
        ),
        (["--ignore", "ZZZ"], "--ignore: no check has a code like 'ZZZ'; `pipedoctor rules`"),
        (["--ignore", "warmup-outlasts-training"], "that is the name of HYP003"),
        (["--severity", "HYP3=note"], "--severity: there is no check HYP3; did you mean HYP0"),
        (["--severity", "HYP003"], "--severity takes CODE=error, =warning or =note, not 'HYP003'"),
        (["--severity", "HYP003=fatal"], "--severity: 'fatal' is no severity"),
        (["--per-file-ignores", "HYP"], "--per-file-ignores: 'HYP' has no pattern"),
        (
            ["--per-file-ignores", "*.yaml:HPY"],
            "no check has a code like 'HPY'; did you mean HYP?",
        ),
        (["--max-warnings", "-1"], "--max-warnings"),
        (["--max-warnings", "few"], "'few' is no number, 0 or more"),
        (
            ["--baseline", "none.json"],
            "there is no baseline none.json; --write-baseline writes it",
        ),
        (["--baseline", "c.yaml"], "the baseline c.yaml is no JSON"),
        (["--output-format", "xml"], "invalid choice: 'xml'"),
    ],
)
def test_wrong_usage(pipedoctor: Run, project: Path, words: list[str], message: str) -> None:
    (project / "c.yaml").write_text(CONFIG)
    done = pipedoctor("check", "c.yaml", "--depth", "static", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_baseline_is_not_written_over_the_config(pipedoctor: Run, project: Path) -> None:
    (project / "c.json").write_text('{"learning_rate": 1e-5}')
    done = pipedoctor(
        "check", "c.json", "--depth", "static", "--baseline", "c.json", "--write-baseline"
    )
    assert done.returncode == 2
    assert (project / "c.json").read_text() == '{"learning_rate": 1e-5}'

"""`pipedoctor batch` as users run it: would they see the fault?"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import batch_scripts
import pytest
from cli.conftest import Run, contents
from cli.test_terminal import ESCAPES, in_terminal
from rich.cells import cell_len

pytest.importorskip("transformers")


def figures(stdout: str, split: str = "train") -> Any:
    return json.loads(stdout)["batch"][split]


def test_the_healthy_example(pipedoctor: Run, snapshot: Callable[[str, str], None]) -> None:
    done = pipedoctor("batch", "examples/qnli/healthy.json")
    told = re.sub(r"(No finding).*", r"\1 …", done.stdout, flags=re.DOTALL)
    snapshot("batch-qnli.txt", told)
    assert done.returncode == 0


def test_labels_out_of_range_are_seen_and_found(
    pipedoctor: Run, config: Callable[..., str]
) -> None:
    path = config(train_file="examples/qnli/train_with_unclear.csv")
    done = pipedoctor("batch", path, "--split", "train")
    assert done.returncode == 1
    assert re.search(r"^  2  █+  99 \(33%\)", done.stdout, re.MULTILINE)
    assert "LAB001" in done.stdout
    assert "evaluation data" not in done.stdout


def test_json_has_the_envelope_and_both_splits(pipedoctor: Run, project: Path) -> None:
    before = contents(project)
    done = pipedoctor(
        "batch", "examples/qnli/healthy.json", "--predict", "--output-format", "json"
    )
    assert contents(project) == before
    report = json.loads(done.stdout)
    assert (report["schema_version"], done.returncode) == (1, 0)
    assert {code["code"][:3] for code in report["checks"]} <= {"RUN", "DAT", "LAB", "LLM"}
    train = report["batch"]["train"]
    assert train["labels"]["counts"] == {"0": 150, "1": 150}
    row = train["groups"][0]["rows"][0]
    assert row["tokens"][0]["text"] == "[CLS]"
    assert row["length"] + sum(e["times"] for e in row["tokens"] if "padding" in e) == row["width"]
    answers = train["predictions"]
    assert answers["answers"] == sum(len(group) for group in answers["groups"]) == 10
    assert {"class", "probability", "loss"} <= answers["groups"][0][0].keys()
    assert report["batch"]["eval"]["groups"]


def test_rows_that_were_asked_for(pipedoctor: Run) -> None:
    words = ("--rows", "17,3,900", "--output-format", "json")
    done = pipedoctor("batch", "examples/qnli/healthy.json", *words)
    (group,) = figures(done.stdout)["groups"]
    assert [row["row"] for row in group["rows"]] == [17, 3]
    assert figures(done.stdout)["note"] == "there are rows 0 to 299, and no row 900"


@pytest.mark.parametrize("rows", ["", "1-3"])
def test_rows_that_make_no_sense(pipedoctor: Run, rows: str) -> None:
    done = pipedoctor("batch", "examples/qnli/healthy.json", f"--rows={rows}")
    assert (done.returncode, "no list of row numbers" in done.stderr) == (2, True)


def test_a_collator_that_raises_is_told_and_the_rows_are_shown(
    pipedoctor: Run, project: Path
) -> None:
    (project / "train.py").write_text(batch_scripts.IMAGES)
    done = pipedoctor("batch", "train.py", "--", "raises")
    assert (done.returncode, "RUN001" in done.stdout) == (1, True)
    assert "no batch can be made, so rows are shown as the data has them" in done.stdout
    assert "pixel_values 3 x 8 x 8" in done.stdout


def test_what_only_the_answers_meet_is_told_too(pipedoctor: Run, project: Path) -> None:
    text = batch_scripts.IMAGES.replace(
        "mean = ", "raise RuntimeError('not today')\n        mean = "
    )
    (project / "train.py").write_text(text)
    done = pipedoctor("batch", "train.py", "--predict", "--select", "RUN", "--", "sane")
    assert (done.returncode, "RUN001" in done.stdout) == (1, True)
    assert "no answers of the model: RuntimeError: not today" in done.stdout
    assert "pixel_values 6 x 3 x 8 x 8" in done.stdout


def test_in_a_terminal_nothing_of_the_data_steers_it(project: Path) -> None:
    (project / "train.py").write_text(batch_scripts.BYTES, encoding="utf-8")
    written = in_terminal(["batch", "train.py", "--", "healthy"], project, 80)
    report = written.rpartition("\r\x1b[K")[2]
    assert "\x1b[1m" in report
    assert "\x1b[31m" not in report
    assert "\u202e" not in report
    assert r"\x1b[31mred" in report
    lines = ESCAPES.sub("", report).splitlines()
    assert max(map(cell_len, lines)) <= 80

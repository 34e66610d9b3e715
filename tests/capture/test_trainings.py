"""Scripts that train several times, through the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from capture.pipelines import Check, codes, script

pytest.importorskip("transformers")

RESUMES = """
import transformers
from transformers.trainer_utils import get_last_checkpoint

def trainer(steps):
    made = build()
    made.args.output_dir = "out"
    made.args.save_strategy = transformers.trainer_utils.SaveStrategy.STEPS
    made.args.save_steps = 6
    made.args.max_steps = steps
    return made

first = trainer(6)
first.train()
second = trainer({steps})
second.train(resume_from_checkpoint=True)
print("went on")
"""


def test_the_second_training_is_examined_too(check: Check, tmp_path: Path) -> None:
    status, report, stderr = check(script(RESUMES.format(steps=6)))
    assert (status, codes(report)) == (1, ["CKP020"])
    found = report["findings"][0]
    assert found["where"]["training"] == 2
    assert found["evidence"] | {"checkpoint": ""} == {
        "checkpoint": "",
        "step": 6,
        "total_steps": 6,
    }
    assert "went on" not in stderr
    assert not (tmp_path / "out").exists()


def test_a_resume_with_steps_left_is_none(check: Check) -> None:
    status, report, _ = check(script(RESUMES.format(steps=12)))
    assert (status, codes(report), report["ready"]) == (0, [], True)


def test_each_turn_of_a_loop_is_a_training(check: Check) -> None:
    body = "for number in (3, 2):\n    options.num_labels = number\n    build().train()"
    status, report, _ = check(script(body))
    first = report["findings"][0]
    assert (status, first["code"], first["where"]["training"]) == (1, "LAB001", 2)


def test_nothing_is_written_on_the_way_to_the_next(check: Check, tmp_path: Path) -> None:
    body = "build().train()\nopen('model.bin', 'w').close()\nbuild().train()"
    status, report, _ = check(script(body))
    assert (status, report["ready"]) == (0, True)
    assert "train again; not examined: on the way there it would write to" in report["problems"][0]
    assert "model.bin" in report["problems"][0]
    assert not (tmp_path / "model.bin").exists()


@pytest.mark.parametrize(
    "body",
    [
        "import torch\nbuild().train()\ntorch.save({}, 'kept')\nbuild().train()",
        "t = build()\nt.train()\nt.save_model('kept')\nbuild().train()",
        "import os\nbuild().train()\nos.rename('old', 'kept')\nbuild().train()",
        "import shutil\nbuild().train()\nshutil.rmtree('kept')\nbuild().train()",
    ],
)
def test_whatever_writes_is_stopped(check: Check, tmp_path: Path, body: str) -> None:
    (tmp_path / "old").write_text("")
    before = {path.name for path in tmp_path.iterdir()} | {"train.py"}
    if "rmtree" in body:
        (tmp_path / "kept").mkdir()
        before |= {"kept"}
    _, report, _ = check(script(body))
    assert "would write to" in report["problems"][0]
    assert {path.name for path in tmp_path.iterdir()} == before


def test_one_that_takes_too_long_is_not_begun(check: Check) -> None:
    body = "t = build()\nt.args.max_steps = 10_000_000\nt.train()\nbuild().train()"
    _, report, stderr = check(script(body))
    assert "this one alone takes about" in report["problems"][0]
    assert "train_runtime" not in stderr


def test_one_that_raises_on_the_way_is_told(check: Check) -> None:
    body = "build().train()\nraise ValueError('no such fold')\nbuild().train()"
    status, report, _ = check(script(body))
    first = report["findings"][0]
    assert (status, first["code"]) == (1, "RUN001")
    assert "no such fold" in first["message"]


def test_one_that_is_not_reached_in_time_is_told(check: Check) -> None:
    body = "import time\nbuild().train()\ntime.sleep(600)\nbuild().train()"
    status, report, _ = check(script(body), "--time", "20")
    assert (status, codes(report)) == (0, [])
    assert "not reached within 20 s" in report["problems"][0]

"""Scripts with a training loop of their own, through the command line."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from capture.pipelines import Check, codes
from loop_faults import FAULTS

pytest.importorskip("torch")

HEALTHY = Path(__file__).parents[1] / "frameworks" / "loops" / "healthy"

LOOP = """
import torch
from torch import nn

torch.manual_seed(0)
rows = torch.utils.data.TensorDataset(torch.randn(96, 4), torch.randint(0, {labels}, (96,)))
loader = torch.utils.data.DataLoader(rows, batch_size={size}, drop_last=True)
model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range({epochs}):
    for inputs, labels in loader:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs), labels).backward()
        optimizer.step()
    {end}
print("went on to the end")
"""


def loop(labels: int = 2, size: int = 16, epochs: int = 3, end: str = "pass") -> str:
    return LOOP.format(labels=labels, size=size, epochs=epochs, end=end)


def fact(report: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in report["facts"] if one["fact"] == name)


def test_a_loop_is_stopped_after_its_first_steps(check: Check) -> None:
    status, report, stderr = check(loop(epochs=1000))
    assert (status, codes(report), report["ready"]) == (0, [], True)
    assert fact(report, "Loop")["steps"] == 200
    assert "went on" not in stderr


def test_a_short_loop_is_seen_to_its_end(check: Check) -> None:
    status, report, stderr = check(loop())
    assert (status, fact(report, "Loop")["steps"]) == (0, 18)
    assert fact(report, "Loop")["ended"] == "the script ran to its end"
    assert "went on" in stderr


def test_what_would_be_written_is_not_reached(check: Check, tmp_path: Path) -> None:
    status, report, _ = check(loop(end="torch.save(model, 'model.pt')"))
    assert (status, fact(report, "Loop")["steps"]) == (0, 6)
    assert fact(report, "Loop")["ended"].startswith("it was about to write ")
    assert [path.name for path in tmp_path.iterdir()] == ["train.py"]


def test_what_a_loop_raises_is_told_with_its_line(check: Check) -> None:
    status, report, _ = check(loop(labels=3))
    assert (status, codes(report)) == (1, ["LAB001"])
    assert report["findings"][0]["where"]["line"] == 13


def test_a_loop_without_batches_never_trains(check: Check) -> None:
    status, report, _ = check(loop(size=128))
    assert (status, codes(report)) == (1, ["RUN002"])
    assert "line 13" in report["findings"][0]["message"]


def test_a_loss_that_raises_is_told_once(check: Check) -> None:
    _, text = FAULTS["loss that needs no gradient"]
    status, report, _ = check(text)
    assert (status, codes(report)) == (1, ["LOS012"])


def test_nan_is_looked_into_in_a_second_run(check: Check) -> None:
    _, text = FAULTS["everything masked"]
    status, report, _ = check(text)
    assert (status, codes(report)) == (1, ["NUM020"])
    assert report["findings"][0]["evidence"]["family"] == "nothing-but-masked"
    assert report["findings"][0]["where"]["source"].startswith("return self.last(score.softmax")


def test_a_second_loop_is_waited_for(check: Check) -> None:
    second = (
        loop()
        .replace("import torch\nfrom torch import nn\n", "")
        .replace("optimizer.zero_grad()", "model.requires_grad_()")
    )
    status, report, _ = check(loop(epochs=40) + second)
    assert (status, codes(report)) == (1, ["GRD007"])


@pytest.mark.parametrize("name", ["evaluation_only", "worker_processes"])
def test_nothing_is_said_of_a_healthy_script(check: Check, name: str) -> None:
    status, report, _ = check((HEALTHY / f"{name}.py").read_text())
    assert (status, codes(report)) == (0, [])


def test_nan_trace_goes_as_far_as_asked(tmp_path: Path, warm: list[str]) -> None:
    (tmp_path / "train.py").write_text(loop(epochs=1000))
    words = [*warm, "nan-trace", "train.py", "--steps", "7", "--output-format", "json"]
    done = subprocess.run(
        words, cwd=tmp_path, env={**os.environ}, capture_output=True, text=True, check=False
    )
    told = json.loads(done.stdout)["nan_trace"]
    assert (done.returncode, told["finite"], told["steps"]) == (0, True, 7)

"""Unused parameters in DistributedDataParallel: judged, and met for real."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest

from pipedoctor import Unavailable
from pipedoctor.fact import unknown
from pipedoctor.facts import Distribution, Gradients
from pipedoctor.facts.gradients import Gradient
from pipedoctor_checks.environment.unused_parameters_stop_distributed_training import (
    unused_parameters_stop_distributed_training,
)

check = unused_parameters_stop_distributed_training


def fact(*unused: str, reached: bool = False) -> Gradients:
    names = ("encoder.layer.0.weight", "pooler.weight", "head.weight")
    of = {n: Gradient(None, 8, reached) if n in unused else Gradient(1.0, 8) for n in names}
    return Gradients("M", 0.7, of, connected=True)


def found(gradients: Gradients, **stated: Any) -> list[Any]:
    spread = Distribution(**{"processes": 2, "wrapped": True, "finds_unused": False, **stated})
    return list(check(spread, gradients, None))


def test_one_that_is_not_used() -> None:
    (finding,) = found(fact("pooler.weight"))
    assert finding.message.startswith("1 of 3 trainable parameters get no gradient (pooler)")
    assert "2 processes wait" in finding.message
    assert finding.remedy == "ddp_find_unused_parameters=True"


def test_one_that_only_this_step_left_out() -> None:
    assert len(found(fact("encoder.layer.0.weight", reached=True))) == 1


@pytest.mark.parametrize(
    "stated", [{"processes": 1}, {"wrapped": False}, {"finds_unused": True}], ids=str
)
def test_runs_in_which_nobody_waits(stated: dict[str, Any]) -> None:
    assert found(fact("pooler.weight"), **stated) == []


def test_all_are_used_or_none_is() -> None:
    assert found(fact()) == []
    assert found(fact("encoder.layer.0.weight", "pooler.weight", "head.weight")) == []


def test_what_is_not_known_is_not_judged() -> None:
    with pytest.raises(Unavailable, match="some reason"):
        found(fact("pooler.weight"), finds_unused=unknown("some reason"))


SCRIPT = """
import sys, torch
torch.distributed.init_process_group("gloo", init_method="file://" + sys.argv[1], rank=0, world_size=1)
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.used, self.unused = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    def forward(self, x):
        return self.used(x).sum()
net = torch.nn.parallel.DistributedDataParallel(Net(), find_unused_parameters=sys.argv[2] == "True")
for _ in range(3):
    net(torch.ones(1, 2)).backward()
print("three steps")
"""


@pytest.mark.parametrize("finds", [True, False])
def test_what_torch_does_at_the_second_step(tmp_path: Any, finds: bool) -> None:
    pytest.importorskip("torch")
    told = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "meeting"), str(finds)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ("three steps" in told.stdout) is finds, told.stderr
    assert any(re.search(text, told.stderr) for text in check.symptoms) is not finds

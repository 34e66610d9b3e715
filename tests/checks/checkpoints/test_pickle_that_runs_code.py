"""A program that is what a format is for takes trust; one hidden in weights is something else."""

from __future__ import annotations

from typing import Any

import pytest
from facts import outcome

from pipedoctor_checks.checkpoints.pickle_that_runs_code import pickle_that_runs_code
from pipedoctor_checks.checkpoints.weights_refused_by_default import weights_refused_by_default

REASON = "carries 5,216 bytes of TorchScript in 6 files, a program that runs when it is loaded or called"


def _files(verdict: str, offender: str = "") -> dict[str, Any]:
    fields = {
        "format": "TorchScript archive",
        "verdict": verdict,
        "reason": REASON,
        "offender": offender,
        "flaws": [("carries code", "it carries 5,216 bytes of TorchScript in 6 files")],
    }
    return {"saved": {"kind": "file", "files": {"jit.pt": fields}}}


def test_a_script_of_torch_takes_trust_and_no_more() -> None:
    assert not outcome(pickle_that_runs_code, files=_files("needs trust")).findings
    (finding,) = outcome(
        weights_refused_by_default,
        files=_files("needs trust"),
        environment={"torch": "2.13.0"},
    ).findings
    assert finding.message == (
        "jit.pt is a TorchScript archive and carries 5,216 bytes of TorchScript in 6 files: torch "
        "2.13.0 refuses it in torch.load, and torch.jit.load runs that program"
    )
    assert finding.remedy == 'if it is your own: torch.jit.load("jit.pt")'


@pytest.mark.parametrize("offender", ["os.system", "builtins.eval"])
def test_a_script_that_calls_something_else_is_an_error(offender: str) -> None:
    (finding,) = outcome(pickle_that_runs_code, files=_files("unsafe", offender)).findings
    assert f"it calls {offender}" in finding.message

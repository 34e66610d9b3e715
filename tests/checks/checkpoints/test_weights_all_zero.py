"""Zeros that mean nothing: what an optimizer begins with, and a layer that begins so."""

from __future__ import annotations

from typing import Any

import pytest
from facts import outcome

from pipedoctor import Severity
from pipedoctor_checks.checkpoints.weights_all_zero import weights_all_zero


def found(format: str, matrices: dict[str, bool]) -> Any:  # noqa: A002 - as the field is called
    name = "saved"
    return outcome(
        weights_all_zero,
        files={
            "saved": {
                "kind": "file",
                "files": {
                    name: {"format": format, "tensors": dict.fromkeys(matrices, ("F32", (4, 4)))}
                },
                "elements": {
                    name: {n: {"total": 16, "all_zero": zero} for n, zero in matrices.items()}
                },
            }
        },
    ).findings


@pytest.mark.parametrize("folder", ["optimizer/vars", "optimizer_weights/adam"])
def test_the_optimizer_in_a_file_of_keras_is_no_weight(folder: str) -> None:
    zeros = {f"{folder}/{number}": True for number in range(4)}
    assert not found("Keras archive", {"layers/dense/vars/0": False, **zeros})


def test_under_keras_there_is_no_fsdp() -> None:
    (finding,) = found("Keras archive", {"layers/a/vars/0": True, "layers/b/vars/0": True})
    assert finding.severity in {None, Severity.WARNING}
    assert "FSDP" not in finding.remedy


def test_one_layer_that_begins_at_zero_is_worth_a_note() -> None:
    (finding,) = found("PyTorch zip archive", {"lin.weight": True})
    assert finding.severity is Severity.NOTE

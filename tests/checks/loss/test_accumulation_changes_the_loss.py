"""How grave a gradient is that accumulation makes too large."""

from __future__ import annotations

from dataclasses import replace

import facts
import pytest

from pipedoctor import Severity
from pipedoctor.facts import Accumulated, Optimizer
from pipedoctor_checks.loss.accumulation_changes_the_loss import accumulation_changes_the_loss

DOUBLED = Accumulated(4, 16, (8, 8), 1.0, 2.0, (0.5, 0.5), 0.0, model="Bert", foreign=True)


@pytest.mark.parametrize(
    ("optimizer", "fact", "severity"),
    [
        ("AdamW", DOUBLED, Severity.NOTE),
        ("SGD", DOUBLED, None),
        ("AdamW", replace(DOUBLED, foreign=False), None),
        ("AdamW", replace(DOUBLED, own="compute_loss", foreign=False), None),
    ],
)
def test_what_adam_divides_out_in_a_model_of_the_library_is_a_note(
    optimizer: str, fact: Accumulated, severity: Severity | None
) -> None:
    held = Optimizer(optimizer, (), {}, (), 10)
    (found,) = facts.findings(accumulation_changes_the_loss, fact, None, held)
    assert found.severity is severity
    assert "2.00 times" in found.message

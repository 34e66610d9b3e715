"""What is said of short trainings, and when nothing is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from facts import findings, the_finding

from pipedoctor.facts import ShortRuns
from pipedoctor.facts.overfit import Curve
from pipedoctor_checks.hyperparameters.learning_rate_too_high_to_learn import (
    learning_rate_too_high_to_learn,
)

OWN = Curve("AdamW", 0.2, tuple([0.7] + [0.9] * 39), own=True)
LOWER = Curve("AdamW", 0.007, (0.7, 0.6, 0.3), reached=True)
RUNS = ShortRuns(10.0, 17, 0.2, "AdamW", (OWN, LOWER), 64, 0.62)


def test_a_rate_that_learns_nothing_beside_one_that_does() -> None:
    found = the_finding(learning_rate_too_high_to_learn, RUNS, None, None)
    assert "learning rate 0.2 is too high" in found.message
    assert "about 10 times as large as the weights" in found.message
    assert "29 times lower" in found.message
    assert found.remedy == "set learning_rate=0.007 or lower"


@pytest.mark.parametrize(
    "runs",
    [
        replace(RUNS, curves=()),
        replace(RUNS, curves=(replace(OWN, reached=True),)),
        replace(RUNS, curves=(OWN, replace(LOWER, reached=False))),
        replace(RUNS, curves=(replace(OWN, losses=tuple([0.7] + [0.5] * 39)), LOWER)),
    ],
)
def test_nothing_is_said_where_it_learns_or_no_rate_does(runs: ShortRuns) -> None:
    assert not findings(learning_rate_too_high_to_learn, runs, None, None)

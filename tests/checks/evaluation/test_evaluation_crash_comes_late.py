from __future__ import annotations

import pytest
from facts import findings, schedule, settings, the_finding

from pipedoctor.fact import Unavailable
from pipedoctor.facts import Rehearsal
from pipedoctor_checks.evaluation.evaluation_crash_comes_late import (
    evaluation_crash_comes_late as check,
)

LATE = {"eval_strategy": "steps", "eval_steps": 1000, "max_steps": 4000}
OWN = Rehearsal(rows=4, has_labels=True, unproven=True, reason="Mine has its own evaluate()")


def test_an_evaluation_that_nothing_proves() -> None:
    found = the_finding(check, OWN, settings(**LATE), schedule(**LATE))

    assert found.message == (
        "The evaluation could not be tried (Mine has its own evaluate()); its first real run is at "
        "step 1,000 of 4,000"
    )
    assert found.remedy == 'set "eval_on_start": true'


@pytest.mark.parametrize(
    ("rehearsal", "stated"),
    [
        (Rehearsal(rows=4, has_labels=True, called=True), {}),
        (Rehearsal(rows=4, has_labels=True, reason="there is no metrics function"), {}),
        (OWN, {"eval_on_start": True}),
        (OWN, {"eval_steps": 500}),
        (OWN, {"eval_strategy": "no"}),
    ],
)
def test_what_is_proved_or_comes_early(rehearsal: Rehearsal, stated: dict[str, object]) -> None:
    made = {**LATE, **stated}

    assert findings(check, rehearsal, settings(**made), schedule(**made)) == []


def test_a_release_that_cannot_evaluate_at_the_start() -> None:
    with pytest.raises(Unavailable):
        findings(check, OWN, settings("4.40.2", **LATE), schedule(**LATE))

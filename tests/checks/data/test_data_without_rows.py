"""What is said where there is nothing to train on."""

from __future__ import annotations

import pytest
from facts import findings, the_finding

from pipedoctor import Severity
from pipedoctor.facts import Rows, Trainings
from pipedoctor_checks.data.data_without_rows import data_without_rows


def test_no_rows() -> None:
    finding = the_finding(data_without_rows, (none := Rows(0)), none, None)
    assert finding.message == "The training data has 0 rows"
    assert finding.severity is None


def test_no_data_is_an_error_where_training_was_called_for() -> None:
    started = Trainings(1, "reached its training")
    assert (
        the_finding(data_without_rows, (none := Rows(0, absent=True)), none, started).severity
        is None
    )


def test_no_data_in_a_trainer_at_hand_is_a_note() -> None:
    finding = the_finding(data_without_rows, (none := Rows(0, absent=True)), none, None)
    assert finding.severity is Severity.NOTE
    assert "train_dataset" in finding.remedy


@pytest.mark.parametrize("used", [1, 100, None])
def test_rows_or_a_stream_are_fine(used: int | None) -> None:
    assert findings(data_without_rows, Rows(used), None, None) == []


def test_no_evaluation_rows() -> None:
    finding = the_finding(data_without_rows, Rows(0), Rows(100), None)
    assert finding.message == "The evaluation data has 0 rows"
    assert (finding.severity, finding.where.split) == (Severity.WARNING, "eval")

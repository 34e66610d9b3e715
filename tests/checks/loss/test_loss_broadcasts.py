from __future__ import annotations

from pipedoctor.facts import Loop, Term
from pipedoctor.finding import Finding
from pipedoctor_checks.loss.loss_broadcasts import loss_broadcasts


def found(*terms: Term) -> list[Finding]:
    return list(loss_broadcasts(Loop((), 1, (), terms=terms)))


def test_a_column_against_a_row() -> None:
    (finding,) = found(Term("mse", (64, 1), (64,), broadcast=(64, 64)))
    assert finding.message.startswith(
        "MSELoss compares predictions of shape (64, 1) with targets of shape (64,)"
    )
    assert finding.remedy == "give both one shape: predictions.squeeze(-1), before the loss"


def test_a_row_against_a_column() -> None:
    (finding,) = found(Term("difference", (8,), (8, 1), broadcast=(8, 8)))
    assert finding.message.startswith("The loss compares predictions of shape (8,)")
    assert finding.remedy == "give both one shape: targets.squeeze(-1), before the loss"


def test_shapes_that_agree() -> None:
    assert found(Term("mse", (64, 1), (64, 1)), Term("cross_entropy", (64, 3), (64,))) == []

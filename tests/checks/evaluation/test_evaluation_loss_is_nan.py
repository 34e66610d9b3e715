from __future__ import annotations

from typing import Any

import pytest
from facts import findings, settings, the_finding

from pipedoctor.fact import Unavailable
from pipedoctor.facts import LabelTokens, Rehearsal
from pipedoctor.finding import Severity
from pipedoctor_checks.evaluation.evaluation_loss_is_nan import evaluation_loss_is_nan as check

NAN = float("nan")
EVALUATED = {"eval_strategy": "epoch"}


def tokens(empty: int, batches: int = 4, rows: int = 32) -> LabelTokens:
    """Rows of which so many batches of eight have no label."""
    without = empty * 8
    return LabelTokens(
        "labels",
        rows,
        {0: without, 5: rows - without},
        empty=tuple(range(min(without, 3))),
        batches=batches,
        empty_batches=empty,
        empty_rows=tuple(range(8)) if empty else (),
    )


def tried(*batches: tuple[int, float]) -> Rehearsal:
    """Batches of two rows, each with so many labels and such a loss."""
    return Rehearsal(
        rows=2 * len(batches),
        has_labels=True,
        losses=tuple(loss for _, loss in batches),
        label_counts=tuple(count for count, _ in batches),
        batch_rows=tuple((2 * n, 2 * n + 1) for n in range(len(batches))),
    )


def test_no_label_at_all() -> None:
    found = the_finding(check, settings(**EVALUATED), tokens(4), None)

    assert found.message == (
        "32 of 32 evaluation rows have no label, and 4 of 4 batches none at all: eval_loss is NaN"
    )
    assert found.where.rows == (0, 1, 2)
    assert found.severity is None


@pytest.mark.parametrize(
    "stated", [{"load_best_model_at_end": True}, {"metric_for_best_model": "loss"}]
)
def test_a_best_model_is_never_found(stated: dict[str, Any]) -> None:
    found = the_finding(check, settings(**EVALUATED, **stated), tokens(4), None)

    assert found.severity is Severity.ERROR


@pytest.mark.parametrize(
    ("version", "stated", "count"),
    [
        ("5.23.0", {}, 0),
        ("5.23.0", {"logging_nan_inf_filter": False}, 1),
        ("5.12.1", {}, 1),
        ("4.57.6", {}, 1),
    ],
)
def test_releases_differ_in_what_one_batch_does(
    version: str, stated: dict[str, Any], count: int
) -> None:
    made = settings(version, **EVALUATED, **stated)

    assert len(findings(check, made, tokens(1), None)) == count


def test_a_release_in_between_is_not_known() -> None:
    with pytest.raises(Unavailable, match="not known"):
        findings(check, settings("5.19.0", **EVALUATED), tokens(1), None)


@pytest.mark.parametrize("stated", [{}, {"eval_strategy": "no"}])
def test_without_evaluations_there_is_no_such_loss(stated: dict[str, Any]) -> None:
    assert findings(check, settings(**stated), tokens(4), None) == []


def test_rows_without_labels_are_harmless_beside_others() -> None:
    labels = LabelTokens("labels", 32, {0: 16, 5: 16}, batches=4, empty_batches=0)

    assert findings(check, settings(**EVALUATED), labels, None) == []


def test_a_loss_that_was_seen_to_be_a_number_is_one() -> None:
    assert findings(check, settings(**EVALUATED), tokens(4), tried((0, 0.0))) == []
    assert findings(check, settings(**EVALUATED), tokens(4), tried((0, NAN))) != []


def test_where_not_all_rows_can_be_counted_those_that_were_tried_tell() -> None:
    found = the_finding(check, settings(**EVALUATED), None, tried((0, NAN), (0, NAN)))

    assert found.message.startswith("None of the 4 evaluation rows that were tried has a label")
    for seen in (tried((0, NAN), (3, 1.2)), tried((3, NAN)), tried((0, 0.0)), tried()):
        assert findings(check, settings(**EVALUATED), None, seen) == []
    with pytest.raises(Unavailable):
        findings(check, settings(**EVALUATED), None, None)

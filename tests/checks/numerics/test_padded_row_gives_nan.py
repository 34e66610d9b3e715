"""NaN of attention is blamed on padding only where every bad row has a position that sees none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from facts import findings, the_finding

from pipedoctor.facts import Birth, Masked, Masks, Trace
from pipedoctor.finding import Location
from pipedoctor_checks.numerics.padded_row_gives_nan import padded_row_gives_nan as check

SOFTMAX = Birth(
    when="forward",
    what="NaN",
    operation="aten._softmax",
    module="layers.0.attention",
    where=Location("model.py", 7),
    family="nothing-but-masked",
)
TRACE = Trace(batches=1, loss=float("nan"), origin=SOFTMAX, batch=0, batch_rows=8, rows=(2, 5))


def masks(**rows: Masked) -> Masks:
    return Masks(({int(name[1:]): mask for name, mask in rows.items()},), pad_id=0)


def test_rows_padded_on_the_left_and_empty_ones_are_counted() -> None:
    found = the_finding(check, TRACE, masks(r2=Masked(5, closed_before=3), r5=Masked(0)))
    assert "1 padded on the left and 1 all padding" in found.message
    assert found.where.layer == "layers.0.attention"
    assert 'padding_side = "right"' in found.remedy


def test_empty_rows_are_to_be_dropped() -> None:
    assert "filter" in the_finding(check, TRACE, masks(r2=Masked(0), r5=Masked(0))).remedy


@pytest.mark.parametrize(
    "given",
    [
        masks(r2=Masked(5, closed_before=3), r5=Masked(5, closed_behind=3)),
        masks(r2=Masked(5, closed_before=3)),
    ],
)
def test_a_bad_row_that_is_not_padded_so_has_another_cause(given: Masks) -> None:
    assert not findings(check, TRACE, given)


def test_other_families_and_unknown_rows_are_left_to_nan_born() -> None:
    left = masks(r2=Masked(5, closed_before=3), r5=Masked(5, closed_before=3))
    other = replace(TRACE, origin=replace(SOFTMAX, family="log-of-zero"))
    assert not findings(check, other, left)
    assert not findings(check, replace(TRACE, rows=()), left)
    assert not findings(check, Trace(batches=1), left)

"""Padding that the mask opens: told where it harms, and only where it is padding for certain."""

from __future__ import annotations

from facts import findings, the_finding

from pipedoctor.facts import Masked, Masks, Model
from pipedoctor_checks.numerics.padding_not_masked import padding_not_masked as check

ENCODER = Model("Bert", {}, decoder_only=False)
DECODER = Model("GPT", {}, decoder_only=True)


def behind(*runs: int) -> Masks:
    return Masks(({row: Masked(16, behind=run) for row, run in enumerate(runs)},), pad_id=0)


def before(*runs: int) -> Masks:
    return Masks(({row: Masked(16, before=run) for row, run in enumerate(runs)},), pad_id=0)


def test_the_rows_and_the_longest_padding_are_named() -> None:
    found = the_finding(check, behind(0, 5, 9, 2), ENCODER)
    assert found.evidence == {"pad_id": 0, "rows": 2, "of": 4, "most": 9}
    assert found.where.rows == (1, 2)
    assert "row 2" in found.message


def test_a_few_tokens_that_have_the_id_are_no_padding() -> None:
    assert not findings(check, behind(0, 3, 1), ENCODER)


def test_what_is_as_long_in_every_row_may_be_text() -> None:
    assert not findings(check, behind(6, 6, 6), ENCODER)


def test_a_decoder_does_not_look_at_what_stands_behind() -> None:
    assert not findings(check, behind(0, 9), DECODER)
    assert findings(check, before(0, 9), DECODER)


def test_one_batch_is_told_of() -> None:
    twice = Masks(behind(0, 9).batches * 2, pad_id=0)
    assert len(findings(check, twice, ENCODER)) == 1

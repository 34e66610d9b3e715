"""Which type of mixed precision a batch is finite in, and what to set."""

from __future__ import annotations

from facts import findings, settings, the_finding

from pipedoctor.facts import Birth, Trace
from pipedoctor_checks.numerics.finite_in_another_precision import (
    finite_in_another_precision as check,
)

ORIGIN = Birth(when="forward", what="inf", operation="aten.mul")


def trace(used: str, **finite: bool) -> Trace:
    return Trace(batches=1, batch=0, origin=ORIGIN, precision=used, precisions=finite)


def test_the_other_half_is_named_with_its_keys() -> None:
    found = the_finding(check, trace("float16", bfloat16=True, float32=True), settings(fp16=True))
    assert found.remedy == '"fp16": false, "bf16": true'
    assert "is not finite in float16; in bfloat16 and float32 it is" in found.message


def test_where_only_float32_is_finite_that_is_said() -> None:
    found = the_finding(check, trace("bfloat16", float16=False, float32=True), settings(bf16=True))
    assert found.remedy == '"bf16": false: train in float32'


def test_a_batch_that_is_nowhere_finite_is_no_matter_of_precision() -> None:
    assert not findings(
        check, trace("bfloat16", float16=False, float32=False), settings(bf16=True)
    )
    assert not findings(check, trace(""), settings())

"""What is said of a birth: the message, the place, the cure."""

from __future__ import annotations

from dataclasses import replace

from pipedoctor.facts import Birth, Trace
from pipedoctor.finding import Location
from pipedoctor_checks.numerics.nan_born import nan_born

LOG = Birth(
    when="forward",
    what="-inf",
    operation="aten.log",
    module="head",
    where=Location("model.py", 7, source="a = torch.log(w)"),
    count=2,
    size=8,
    rows=(3, 7),
    family="log-of-zero",
    why="log(0) is -inf",
    cure="clamp it",
)
MASK = replace(LOG, operation="aten.masked_fill", intended=True, why="", cure="", family="")
NAN = replace(
    LOG,
    what="NaN",
    operation="aten.mul",
    where=Location("model.py", 8),
    count=32,
    size=128,
    family="infinity-times-zero",
    why="inf x 0",
    cure="use where",
)


def test_nothing_is_said_where_all_is_finite() -> None:
    assert not list(nan_born(Trace(batches=3)))


def test_the_infinity_is_to_blame_and_not_what_became_of_it() -> None:
    trace = Trace(
        batches=3, origin=NAN, causes=(LOG,), batch=2, batch_rows=8, places=(3, 7), rows=(19, 23)
    )
    (finding,) = nan_born(trace)
    assert finding.message == (
        "NaN is born in aten.mul, in the forward pass (32 of 128 values, from 2 of 8 rows), from "
        "-inf of aten.log in line 7: log(0) is -inf"
    )
    assert (finding.where.file, finding.where.line) == ("model.py", 7)
    assert (finding.where.layer, finding.where.rows) == ("head", (19, 23))
    assert finding.remedy == "clamp it"
    assert finding.evidence["family"] == "log-of-zero"


def test_a_mask_is_not_to_blame() -> None:
    trace = Trace(batches=1, origin=NAN, causes=(MASK,), batch=0, batch_rows=8)
    (finding,) = nan_born(trace)
    assert finding.where.line == 8
    assert finding.remedy == "use where"


def test_a_weight_is_named() -> None:
    origin = Birth(
        when="weights",
        what="NaN",
        name="body.weight",
        module="body",
        count=1,
        size=9,
        cure="go back",
    )
    (finding,) = nan_born(Trace(batches=1, origin=origin, batch=0, batch_rows=8))
    assert finding.message == "NaN stands in body.weight, in the weights (1 of 9 values)"
    assert finding.where.layer == "body"


def test_what_the_optimizer_writes_is_named() -> None:
    origin = replace(NAN, when="optimizer", operation="aten._fused_adamw_", name="body.weight")
    (finding,) = nan_born(Trace(batches=1, steps=1, origin=origin, batch=0, step=1))
    assert "which writes body.weight" in finding.message
    assert "in the optimizer's step" in finding.message


def test_what_does_not_come_up_again_is_said_to_be_so() -> None:
    (finding,) = nan_born(Trace(batches=5, batch=4, reproduced=False))
    assert "batch 4" in finding.message
    assert "torch.compile" in finding.remedy

"""The table of `pipedoctor memory`, on pages of any width."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from memory_plans import GIB, plan

from pipedoctor import Report
from pipedoctor.facts import MemoryPlan
from pipedoctor.reporters import memory
from pipedoctor.units import gib


def shown(told: MemoryPlan, width: int = 100) -> str:
    report = Report(target="llama", outcomes=(), figures={"MemoryPlan": (dict(told.figures()),)})
    return memory.plain(report, width)


def test_what_does_not_fit_is_told_with_how_much_it_is_too_much() -> None:
    text = shown(plan(room=24 * GIB, gpu="RTX 4090", largest=0))
    assert "of 24.0 GiB (RTX 4090): 26.5 GiB too much" in text
    assert "Not even one row fits" in text
    assert "✓    20.0 GiB" in text
    assert text.splitlines()[-1] == "It does not fit: 50.5 GiB for 4 rows on RTX 4090"


def test_what_fits_is_told_with_what_is_left() -> None:
    told = plan(
        room=80 * GIB,
        largest=7,
        largest_total=79 * GIB,
        verified={"rows": 7, "law": 75 * GIB, "traced": 75 * GIB},
    )
    text = shown(told)
    assert "29.5 GiB to spare" in text
    assert "The largest batch that fits has 7 rows: 79.0 GiB" in text
    assert text.splitlines()[-1] == "It fits: 50.5 GiB for 4 rows on 80.0 GiB"


def test_an_estimate_that_settles_nothing_is_not_said_to_fit() -> None:
    said = shown(plan(room=52 * GIB, spread=(0.73, 1.21))).splitlines()[-2:]
    assert " ".join(said).endswith(
        "Whether it fits is not settled: 50.5 GiB for 4 rows on 52.0 GiB, and the estimate can mean "
        "37.5 GiB to 60.6 GiB"
    )
    said = shown(plan(room=52 * GIB, spread=None)).splitlines()[-2:]
    assert "how far the estimate is off there is not known" in " ".join(said)


def test_an_estimate_that_fits_says_how_far_it_can_be_off() -> None:
    said = " ".join(shown(plan(room=80 * GIB, spread=(0.73, 1.21))).splitlines()[-2:])
    assert "It fits: 50.5 GiB" in said
    assert "(an estimate that can mean 37.5 GiB to 60.6 GiB)" in said


def test_without_memory_the_verdict_says_how_to_ask() -> None:
    text = shown(plan(fits_on={"T4": 0, "A100 80GB": 9}))
    assert "T4 none, A100 80GB 9 rows" in text
    assert "--gpu or --memory tells whether that fits" in text.splitlines()[-1]


def test_where_nothing_is_known_the_reason_stands_there() -> None:
    figures = {"MemoryPlan": ({"unavailable": "the model is quantised"},)}
    text = memory.plain(Report(target="x", outcomes=(), figures=figures))
    assert text.splitlines()[-1] == "Nothing is planned: the model is quantised"


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_the_bar_keeps_to_the_page(width: int) -> None:
    stream = io.StringIO()
    told = plan(room=24 * GIB, largest=0)
    report = Report(target="llama", outcomes=(), figures={"MemoryPlan": (dict(told.figures()),)})
    memory.write(report, stream, colour=False, width=width)
    bars = [line for line in stream.getvalue().splitlines() if "█" in line]
    assert bars
    assert max(map(len, bars)) <= max(width, memory.LABEL + 12 + 10)


@given(st.integers(0, 10**15))
def test_sizes_have_three_digits_or_more(size: int) -> None:
    number, unit = gib(size).split()
    assert unit in {"GiB", "MiB"}
    value = float(number.replace(",", "")) * (GIB if unit == "GiB" else 2**20)
    assert abs(value - size) <= max(0.006 * size, 6000)


def test_what_a_checkpoint_takes_is_told_and_what_is_free_where_that_is_less() -> None:
    enough = shown(plan(saving=12 * GIB, free=64 * GIB))
    assert "its weights take 12.0 GiB" in " ".join(enough.split())
    assert "free" not in enough
    less = " ".join(shown(plan(saving=12 * GIB, free=8 * GIB)).split())
    assert "own memory; this one has 8.00 GiB free" in less


def test_a_run_that_is_shared_is_not_said_not_to_fit() -> None:
    said = shown(plan(room=20 * GIB, shared="fsdp")).splitlines()
    assert "is not settled" in " ".join(said[-2:])
    assert "fsdp shares it" in " ".join(said[-2:])

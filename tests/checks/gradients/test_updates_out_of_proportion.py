"""Updates of every size, from facts alone."""

from __future__ import annotations

from pipedoctor import registry
from pipedoctor.facts import Move, Step

CHECK = registry.load()["GRD011"]


def step(ratio: float | None, moved: int, *, rate: float = 1e-3, dtype: str = "float32") -> Step:
    move = Move(ratio, moved, 4096, dtype, 0.5)
    return Step({"body.weight": move, "head.weight": move}, "AdamW", (rate,))


def test_a_usual_update() -> None:
    assert list(CHECK(step(0.01, 4096))) == []


def test_rounding_takes_it_away() -> None:
    (finding,) = CHECK(step(0.0, 0, dtype="bfloat16"))
    assert "8,192 of 8,192 elements" in finding.message
    assert "bfloat16" in finding.message


def test_a_rate_of_zero_is_another_fault() -> None:
    assert list(CHECK(step(0.0, 0, rate=0.0))) == []


def test_weights_are_replaced() -> None:
    (finding,) = CHECK(step(40.0, 4096, rate=2.0))
    assert "40 times as large" in finding.message
    assert finding.remedy == "set the learning rate to 0.005 or less"


def test_what_starts_at_zero_has_no_ratio() -> None:
    assert list(CHECK(step(None, 4096))) == []

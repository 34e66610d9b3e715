"""When a measurement ends with what it has, and what is said of the time."""

from __future__ import annotations

import time
from math import inf

import pytest

from pipedoctor.clock import BETWEEN, RESERVE, SHARE, Clock, more, ran_out


@pytest.mark.parametrize("run", [None, {}, {"trainings": 1}, {"time_limit": None}])
def test_without_a_limit_there_is_no_end(run: dict[str, object] | None) -> None:
    clock = Clock.of(run)
    clock.start()
    assert not clock.over()
    assert clock.fits()
    assert clock.left == inf


def test_what_loading_took_is_not_spent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0)
    clock = Clock.of({"time_limit": 60, "until": 1010.0})
    assert clock.hard == 1010.0
    assert clock.soft == 1000.0 + 10 * SHARE


def test_it_is_over_when_the_time_is() -> None:
    clock = Clock.of({"time_limit": 60, "until": time.monotonic() - 1})
    assert clock.over()
    assert clock.told() == "time ran out after 60 s; --time 120 allows more"


def test_long_steps_end_it_before_the_share_is_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("pipedoctor.clock.time.monotonic", lambda: now)
    clock = Clock.of({"time_limit": 100})
    clock.start()
    now = 15.0
    assert not clock.over()
    assert now + BETWEEN * 15 > 100
    assert not clock.fits()
    now = 30.0
    assert not clock.over()
    now = 45.0
    assert 45 < clock.soft < 45 + RESERVE * 15 + 45
    assert clock.over()
    assert clock.told() == "time ran out after 45 of 100 s; --time 200 allows more"


def test_what_lies_between_two_rows_of_steps_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("pipedoctor.clock.time.monotonic", lambda: now)
    clock = Clock.of({"time_limit": 100})
    clock.start()
    now = 1.0
    assert not clock.over()
    now = 60.0
    clock.start()
    now = 61.0
    assert not clock.over()


def test_more_is_twice_as_much_but_no_less_than_the_default() -> None:
    assert more(5) == "--time 120"
    assert more(120) == "--time 240"
    assert ran_out(2.5) == "time ran out after 2.5 s; --time 120 allows more"

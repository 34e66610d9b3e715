"""The choice among rates that are tried: on losses that are stated, with no framework."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, log10

import pytest

from pipedoctor.facts.range_test import Trial
from pipedoctor.frameworks.rates.choosing import APART, Choosing, Chosen

STEPS = 12


def chosen(
    ends: Mapping[int, float], most: int = 4, highest: float | None = None
) -> tuple[Chosen, list[int]]:
    """Choose among trials that come to these losses, told by the place of their rate."""
    tried = []

    def try_out(rate: float) -> Trial:
        place = round(log10(rate) / log10(APART))
        tried.append(place)
        end = ends[place]
        return Trial(rate, (2.0, end) if end == inf else (2.0, *(STEPS - 1) * (end,)))

    return Choosing(try_out, STEPS, most, highest).choose(1.0), tried


def test_the_best_of_three_is_bracketed() -> None:
    found, tried = chosen({-1: 1.5, 0: 1.0, 1: 1.5})
    assert tried == [0, -1, 1]
    assert found.rate == pytest.approx(1.0)
    assert found.bracketed


@pytest.mark.parametrize(("low", "high", "above"), [(1.2, 1.8, False), (1.8, 1.2, True)])
def test_the_better_neighbour_draws_the_rate_its_way(low: float, high: float, above: bool) -> None:
    found, _ = chosen({-1: low, 0: 1.0, 1: high})
    assert APART**-0.5 <= found.rate <= APART**0.5
    assert (found.rate > 1) is above


def test_it_goes_down_while_that_is_better() -> None:
    found, tried = chosen({-2: 1.2, -1: 1.1, 0: 1.4})
    assert tried == [0, -1, -2]
    assert found.bracketed
    assert found.rate < 1


def test_it_goes_up_while_that_is_better() -> None:
    found, tried = chosen({-1: 1.8, 0: 1.5, 1: 1.2, 2: 1.6})
    assert tried == [0, -1, 1, 2]
    assert found.rate == pytest.approx(APART, rel=0.3)


def test_no_rate_is_tried_where_the_loss_diverged() -> None:
    found, tried = chosen({-1: 1.8, 0: 1.5}, highest=2.0)
    assert tried == [0, -1]
    assert found.bracketed
    assert found.rate == 1.0


def test_the_best_at_the_edge_of_what_may_be_tried_is_told() -> None:
    found, tried = chosen({-3: 1.1, -2: 1.2, -1: 1.3, 0: 1.4})
    assert tried == [0, -1, -2, -3]
    assert not found.bracketed


def test_a_single_trial_brackets_nothing() -> None:
    found, tried = chosen({0: 1.0}, most=1)
    assert tried == [0]
    assert not found.bracketed


def test_a_trial_that_was_broken_off_is_the_worst() -> None:
    found, tried = chosen({-2: 1.6, -1: 1.5, 0: inf})
    assert tried == [0, -1, -2]
    assert found.rate == pytest.approx(1 / APART)


def test_a_rate_that_throws_the_weights_off_pays_for_it() -> None:
    calm, wild = (2.0, *11 * (1.3,)), (2.0, 14.0, 9.0, *9 * (1.2,))
    losses = {-1: 12 * (2.0,), 0: wild, -2: 12 * (2.0,)}

    def try_out(rate: float) -> Trial:
        place = round(log10(rate) / log10(APART))
        return Trial(rate, calm if place == -1 else losses[place])

    found = Choosing(try_out, STEPS, 4).choose(1.0)
    assert found.best.losses == calm
    assert found.rate < APART**-0.5

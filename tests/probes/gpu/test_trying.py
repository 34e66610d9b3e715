"""Batches that are tried on a device, which is a fake here."""

from __future__ import annotations

import pytest
from gpus import GIB, Fake

from pipedoctor.probes.gpu.trying import STEPS, attempt, largest

ROW = 64 * 2**20
STATES = 512 * 2**20


class Steps:
    """A training whose states come with its first step, and whose batches take so much a row."""

    def __init__(self, live: Fake, *, grows: int = 0) -> None:
        self.live, self.grows = live, grows
        self.made = False
        self.ran: list[int] = []

    def __call__(self, rows: int) -> None:
        if not self.made:
            self.live.take(STATES)
            self.made = True
        size = rows * ROW + self.grows * len(self.ran)
        self.live.take(size)
        self.live.release(size)
        self.ran.append(rows)


def test_an_attempt_runs_three_steps_and_says_so():
    live = Fake(4 * GIB)
    trial = attempt(live, Steps(live), 4)
    assert (trial.rows, trial.ran, trial.wanted, trial.fits) == (4, STEPS, STEPS, True)
    assert trial.peak.allocated == STATES + 4 * ROW
    assert live.cleaned >= 2


def test_what_runs_out_is_an_answer_and_is_cleaned_up():
    live = Fake(GIB)
    trial = attempt(live, Steps(live), 64)
    assert not trial.fits
    assert trial.peak is None
    assert trial.ran == 0
    assert live.cached == 0


def test_a_batch_whose_second_step_runs_out_does_not_fit():
    live = Fake(GIB)
    trial = attempt(live, Steps(live, grows=300 * 2**20), 4)
    assert trial.ran == 1
    assert not trial.fits


def test_what_is_no_want_of_memory_is_raised():
    def step(rows):
        raise ValueError(f"{rows} rows of another shape")

    with pytest.raises(ValueError, match="another shape"):
        attempt(Fake(GIB), step, 1)


@pytest.mark.parametrize("first", [1, 8, 24, 500])
def test_the_largest_batch_is_found_from_wherever_one_begins(first):
    live = Fake(2 * GIB)
    steps = Steps(live)
    found = largest(live, steps, first)
    assert found.largest == (2 * GIB - STATES) // ROW == 24
    assert found.certain
    assert len(found.trials) <= 12
    assert all(trial.ran == trial.wanted for trial in found.trials if trial.fits)
    assert len(steps.ran) == sum(trial.ran for trial in found.trials)


def test_the_search_is_bounded_and_says_that_it_was_cut_short():
    live = Fake(2000 * GIB)
    found = largest(live, Steps(live), 1, trials=4)
    assert [trial.rows for trial in found.trials] == [1, 2, 4, 8]
    assert (found.largest, found.certain) == (8, False)


def test_no_more_rows_are_tried_than_there_are():
    live = Fake(2000 * GIB)
    found = largest(live, Steps(live), 8, most=20)
    assert found.largest == 20
    assert max(trial.rows for trial in found.trials) == 20


def test_where_not_even_one_row_fits_none_does():
    live = Fake(GIB, taken=GIB - ROW // 2)
    found = largest(live, Steps(live), 4)
    assert found.largest == 0
    assert found.certain
    assert not any(trial.fits for trial in found.trials)


def test_a_room_below_the_device_s_counts():
    live = Fake(64 * GIB)
    found = largest(live, Steps(live), 4, room=STATES + 10 * ROW)
    assert found.largest == 10

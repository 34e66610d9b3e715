"""Which checkpoints stand on the disk, told without going through all of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipedoctor.facts import Marks, Retention

MARKS = st.builds(
    Marks,
    every=st.integers(0, 9),
    total=st.integers(0, 40),
    last=st.booleans(),
    start=st.integers(0, 45),
    also_first=st.booleans(),
)
RETENTIONS = st.builds(Retention, MARKS, st.none() | st.integers(1, 6), knows_best=st.booleans())


@given(MARKS, st.integers(-1, 45))
def test_marks_are_counted_up_to_a_step(marks, step):
    assert marks.until(step) == sum(one <= step for one in marks)


@given(MARKS)
def test_marks_are_found_by_their_number(marks):
    assert [marks.number(place) for place in range(1, len(marks) + 1)] == list(marks)
    for place in (0, len(marks) + 1):
        with pytest.raises(IndexError):
            marks.number(place)


@given(MARKS)
def test_marks_can_be_made_of_their_figures(marks):
    figures = marks.figures()
    assert (figures.pop("count"), figures.pop("first")) == (len(marks), marks.first)
    assert Marks(**figures) == marks


def simulated(retention, scores):
    """Write and delete as Trainer does, one by one; yield what stood there, and which was best."""
    standing: list[int] = []
    best = None
    for step, improved in zip(retention.written, scores, strict=False):
        standing.append(step)
        most = len(standing)
        if retention.knows_best and (improved or best is None):
            best = step
        if retention.limit is not None:
            spared = {step, best} - {None}
            while len(standing) > max(retention.limit, len(spared)):
                standing.remove(next(one for one in standing if one not in spared))
        yield most, list(standing), best


@given(RETENTIONS, st.lists(st.booleans(), min_size=42, max_size=42))
def test_what_stands_there_is_what_writing_and_deleting_leaves(retention, scores):
    peak = 0
    for number, (most, standing, best) in enumerate(simulated(retention, scores), start=1):
        assert retention.standing(number, best) == standing
        depends = retention.limit == 1 and retention.knows_best
        assert retention.during(number) - most in ({0, 1} if depends else {0})
        assert retention.after(number) - len(standing) in ({0, 1} if depends else {0})
        assert retention.deleted(number) == number - retention.after(number)
        peak = max(peak, retention.during(number))
    assert retention.peak == peak


@given(RETENTIONS, st.integers(0, 45))
def test_the_step_that_no_longer_fits(retention, fit):
    step = retention.too_many(fit)
    counts = {one: retention.during(retention.written.until(one)) for one in retention.written}
    assert step == next((one for one, number in counts.items() if number > fit), None)


def test_a_million_checkpoints_take_no_time():
    retention = Retention(Marks(1, 10**12), 3)
    assert retention.standing(10**12) == [10**12 - 2, 10**12 - 1, 10**12]
    assert (retention.peak, retention.kept) == (4, 3)

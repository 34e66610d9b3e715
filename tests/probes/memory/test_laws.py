from hypothesis import given
from hypothesis import strategies as st

from pipedoctor.probes.memory import laws
from pipedoctor.probes.memory.laws import Held, Moment

SIZES = st.integers(0, 10**12)
MOMENTS = st.lists(st.builds(Moment, SIZES, SIZES, SIZES), min_size=1, max_size=30)


@given(MOMENTS, st.integers(1, 64), st.integers(1, 4096))
def test_the_law_is_that_of_whichever_moment_takes_most(moments, rows, others):
    law = laws.law(moments, rows)
    expected = max(m.constant + m.gradients + m.growing / rows * others for m in moments)
    assert abs(law.at(others) - expected) <= 1e-6 * expected + 1


@given(MOMENTS, st.integers(1, 64), SIZES)
def test_the_largest_batch_fits_and_one_row_more_does_not(moments, rows, room):
    law = laws.law(moments, rows)
    most = law.most(room)
    slack = 1e-9 * room + 1e-6
    if most:
        assert law.at(most) <= room + slack
    if most < laws.MOST_ROWS:
        assert law.at(most + 1) >= room - slack


def test_a_floor_that_no_batch_is_below_counts():
    law = laws.law([Moment(0, 0, 10)], 1, least=500)
    assert law.at(1) == 500
    assert law.most(499) == 0
    assert law.most(600) == 60


@given(st.integers(1, 10**12), st.integers(1, 64))
def test_zero_shares_states_then_gradients_then_weights(weights, processes):
    held = Held(weights, weights, 2 * weights, unit=0)
    stages = [held.shared(f"zero-{stage}", processes) for stage in (1, 2, 3)]
    assert stages == sorted(stages, reverse=True)
    assert stages[2] == -(-4 * weights // processes)
    if processes == 1:
        assert set(stages) == {4 * weights}


def test_zero_as_the_paper_counts_it():
    # arXiv:1910.02054, figure 1: 7.5 billion parameters in mixed precision on 64 GPUs.
    held = Held(weights=15, gradients=15, states=90, unit=0)
    assert [held.shared(f"zero-{stage}", 64) for stage in (1, 2, 3)] == [32, 17, 2]
    # The moments in 16 bits, as an optimizer makes them for such weights, are what is no part of it.
    assert laws.states_in_float32(2 * 2 * 75, trained=75, halves=75) == 12 * 75
    assert laws.states_in_float32(2 * 4 * 75, trained=75, halves=0) == 8 * 75


def test_what_is_usable_leaves_room_for_context_and_margin():
    for gpu in (True, False):
        peak = laws.usable(80 * 2**30, gpu=gpu)
        assert abs(peak + sum(laws.whole(peak, gpu=gpu)) - 80 * 2**30) < 2

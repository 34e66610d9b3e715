import pytest
from facts import findings, settings, the_finding
from memory_plans import GIB, plan

from pipedoctor import Unavailable
from pipedoctor.facts import Environment, Fit, KeptPredictions, Rows
from pipedoctor.finding import Location
from pipedoctor_checks.evaluation.predictions_fill_the_memory import predictions_fill_the_memory
from pipedoctor_checks.memory.batch_beyond_the_memory import batch_beyond_the_memory
from pipedoctor_checks.memory.batch_size_shrinks_while_training import (
    batch_size_shrinks_while_training,
)


def test_a_batch_that_fits_is_no_finding():
    assert not findings(batch_beyond_the_memory, plan(room=51 * GIB), settings(), None)


def test_a_batch_that_does_not_fit_names_the_largest_and_what_would_do():
    told = plan(room=24 * GIB, largest=2)
    finding = the_finding(
        batch_beyond_the_memory, told, settings(per_device_train_batch_size=4), None
    )
    assert finding.message.startswith("4 rows of 2,048 tokens take 50.5 GiB at the peak")
    assert '"per_device_train_batch_size": 2' in finding.remedy
    assert finding.alternatives[0].startswith("bf16=True: 20 GiB")


def test_what_fits_at_the_usual_length_stops_when_the_longest_rows_come():
    told = plan(room=24 * GIB, largest=2, usual_length=128, usual_total=8 * GIB)
    finding = the_finding(batch_beyond_the_memory, told, settings(), None)
    assert "it stops when the longest rows are drawn" in finding.message


def test_where_nothing_would_do_a_larger_device_is_the_remedy():
    told = plan(room=GIB, largest=0, remedies=())
    finding = the_finding(batch_beyond_the_memory, told, None, None)
    assert finding.remedy == "take a device with more than 50.5 GiB"


def test_without_memory_nothing_is_judged():
    with pytest.raises(Unavailable):
        findings(batch_beyond_the_memory, plan(), settings(), None)


@pytest.mark.parametrize("room", [45 * GIB, 51 * GIB, 60 * GIB])
def test_an_estimate_that_could_turn_the_answer_round_is_no_answer(room):
    told = plan(room=room, spread=(0.73, 1.21))
    with pytest.raises(
        Unavailable, match=r"50.5 GiB is an estimate that can mean 37.5 GiB to 60.6"
    ):
        findings(batch_beyond_the_memory, told, None, None)


def test_an_estimate_that_is_far_from_the_room_is_an_answer():
    assert not findings(
        batch_beyond_the_memory, plan(room=61 * GIB, spread=(0.73, 1.21)), None, None
    )
    assert findings(batch_beyond_the_memory, plan(room=37 * GIB, spread=(0.73, 1.21)), None, None)


def test_where_the_error_is_not_known_only_variables_that_are_too_many_are_told():
    with pytest.raises(Unavailable, match="is not known, so it is not told to fit"):
        findings(
            batch_beyond_the_memory,
            plan(room=200 * GIB, spread=None, step_peak=40 * GIB),
            None,
            None,
        )
    assert findings(
        batch_beyond_the_memory, plan(room=40 * GIB, spread=None, step_peak=40 * GIB), None, None
    )


def test_a_batch_that_trainer_shrinks_is_a_change_of_schedule_and_no_failure():
    told, stated = plan(room=24 * GIB, largest=2), settings(auto_find_batch_size=True)
    assert not findings(batch_beyond_the_memory, told, stated, None)
    finding = the_finding(batch_size_shrinks_while_training, told, stated)
    assert "at least 2 times as many steps" in finding.message
    assert not findings(batch_size_shrinks_while_training, told, settings())
    assert not findings(batch_size_shrinks_while_training, plan(room=60 * GIB), stated)


def kept(**more):
    made = {"rows": 1000, "row_bytes": 62_509_056, "outputs": {"logits": 62_509_056}}
    return KeptPredictions(**{**made, "free": 100 * 10**9, **more})


def planned(**more):
    """What the check gets where an evaluation was planned and none was run."""
    return Rows(1000), Environment("3.11", {}), None, kept(**more), None, None, None


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"room": 40 * 10**9}, "on the device"),
        ({"room": 40 * 10**9, "moved_every": 1, "free": 30 * 10**9}, "in memory in the end"),
        ({"free": 30 * 10**9}, "in memory in the end"),
        ({"device": "cpu", "free": 30 * 10**9}, "in memory in the end"),
    ],
)
def test_answers_that_there_is_no_room_for(more, place):
    finding = the_finding(predictions_fill_the_memory, *planned(**more))
    assert "1,000 rows times 62.5 MB (logits) are 62.5 GB" in finding.message
    assert place in finding.message
    assert "preprocess_logits_for_metrics" in finding.remedy


@pytest.mark.parametrize("more", [{}, {"room": 80 * 10**9}, {"room": 10**9, "moved_every": 4}])
def test_answers_that_there_is_room_for(more):
    assert not findings(predictions_fill_the_memory, *planned(**more))


def test_of_a_fit_the_batch_of_fit_is_told():
    told = plan(room=24 * GIB, largest=2, library="keras", length=None)
    fit = Fit(1, "arrays", places={"batch_size": Location("train.py", 7, "batch_size")})
    finding = the_finding(batch_beyond_the_memory, told, None, fit)
    assert finding.where.line == 7
    assert finding.remedy.startswith("set batch_size=2 ")
    assert "gradient_accumulation_steps=2 in the optimizer" in finding.remedy


def test_a_margin_that_no_estimate_was_ever_off_by_settles_it():
    told = plan(room=900 * GIB, spread=None, step_peak=40 * GIB)
    assert (told.settled, told.by_far) == (True, True)
    assert not findings(batch_beyond_the_memory, told, None, None)
    left_out = plan(room=900 * GIB, spread=None, uncounted="what its loops keep is not counted")
    assert (left_out.fits, left_out.settled) == (True, False)
    with pytest.raises(Unavailable, match="its loops keep"):
        findings(batch_beyond_the_memory, left_out, None, None)

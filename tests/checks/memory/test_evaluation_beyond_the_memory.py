import pytest
from facts import findings, settings, the_finding
from memory_plans import GIB, plan

from pipedoctor import Unavailable
from pipedoctor.facts import Evaluated, KeptPredictions
from pipedoctor_checks.memory.batch_beyond_the_memory import batch_beyond_the_memory
from pipedoctor_checks.memory.evaluation_beyond_the_memory import evaluation_beyond_the_memory

KEPT = KeptPredictions(rows=1000, row_bytes=10_000_000, outputs={"logits": 10_000_000})


def evaluated(**more):
    made = {"rows": 2048, "length": 482, "peak": 70 * GIB, "total": 75 * GIB, "largest": 900}
    return Evaluated(**{**made, **more})


def test_a_batch_that_does_not_fit_names_the_largest_that_does():
    told = plan(room=60 * GIB, evaluation=evaluated(logits=40 * GIB))
    assert (told.step_fits, told.evaluation_fits, told.fits) == (True, False, False)
    finding = the_finding(
        evaluation_beyond_the_memory, told, settings(per_device_eval_batch_size=2048), None
    )
    assert "2,048 rows of 482 tokens at a time takes 75 GiB" in finding.message
    assert "logits are 40 GiB; the device has 60 GiB" in finding.message
    assert '"per_device_eval_batch_size": 900' in finding.remedy
    assert not findings(batch_beyond_the_memory, told, settings(), None)


def test_answers_that_wait_are_moved_away():
    told = plan(room=60 * GIB, evaluation=evaluated(kept=30 * GIB, largest=0))
    finding = the_finding(evaluation_beyond_the_memory, told, settings(), KEPT)
    assert finding.remedy.startswith("eval_accumulation_steps=1")


@pytest.mark.parametrize(
    ("room", "more"),
    [
        (80 * GIB, {}),
        (60 * GIB, {"kept": 61 * GIB}),  # EVA001 tells it
        (40 * GIB, {"largest": 0}),  # neither does a step fit, which MEM001 tells
    ],
)
def test_what_fits_or_is_told_elsewhere_is_no_finding(room, more):
    told = plan(room=room, evaluation=evaluated(**more))
    assert not findings(evaluation_beyond_the_memory, told, settings(), None)


def test_without_an_evaluation_nothing_is_judged():
    with pytest.raises(Unavailable, match="no evaluation was gone through"):
        findings(evaluation_beyond_the_memory, plan(room=GIB), settings(), None)
    with pytest.raises(Unavailable, match="no memory is stated"):
        findings(evaluation_beyond_the_memory, plan(evaluation=evaluated()), settings(), None)

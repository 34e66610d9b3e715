import pytest
from facts import findings, outcome, settings, the_finding

from pipedoctor.facts import Rows
from pipedoctor.report import Status
from pipedoctor_checks.data.streaming_data_without_max_steps import (
    streaming_data_without_max_steps as check,
)


def test_no_length_and_no_end():
    known = settings(per_device_train_batch_size=16, gradient_accumulation_steps=4)
    found = the_finding(check, Rows(None), known)

    assert "max_steps is -1" in found.message
    assert "divided by 64 rows" in found.remedy
    assert "max_steps=1000 sees 64,000" in found.remedy
    assert found.where.key == "max_steps"


@pytest.mark.parametrize(
    ("rows", "known"),
    [
        (Rows(None), settings(max_steps=500)),
        (Rows(100), settings()),
        (Rows(0), settings()),
    ],
)
def test_healthy(rows, known):
    assert not findings(check, rows, known)


def test_data_that_nobody_gave_are_not_judged():
    assert outcome(check, settings={}).status is Status.SKIPPED


def test_a_stream_of_datasets():
    datasets = pytest.importorskip("datasets")
    stream = datasets.Dataset.from_dict({"label": [0, 1]}).to_iterable_dataset()

    assert outcome(check, train_data=stream, settings={}).status is Status.FOUND
    assert outcome(check, train_data=stream, settings={"max_steps": 5}).status is Status.PASSED

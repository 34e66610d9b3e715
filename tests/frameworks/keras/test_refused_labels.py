"""Labels that fit refuses: the check that knows the cause speaks, and nothing beside it."""

from __future__ import annotations

import numpy as np
import pytest
from keras_fits import BACKEND, pipeline, rows, sequential

import pipedoctor
from pipedoctor import Split
from pipedoctor.facts import Fit
from pipedoctor.facts.batch import Batch
from pipedoctor.pipeline import ProbeFailed
from pipedoctor.report import Status


def test_one_hot_labels_with_the_sparse_loss_are_told_once() -> None:
    x, y = rows()
    report = pipedoctor.examine(model=sequential(), x=x, y=np.eye(3)[y], epochs=3)
    told = {one.rule.code for one in report.outcomes if one.findings}
    assert "KER007" in told
    assert "RUN001" not in told
    blocked = [one for one in report.outcomes if one.status is Status.BLOCKED]
    assert {one.blocked_by for one in blocked} <= {"KER007"}


def test_lengths_that_differ_are_said_to_be_those_of_the_validation_data() -> None:
    x, y = rows()
    given = pipeline(sequential(), x=x, y=y, validation_data=(x[:20], y[:80]))
    with pytest.raises(
        ProbeFailed, match="validation_data differ in their numbers of rows"
    ) as told:
        given.fact(Batch, Split.EVAL)
    assert "20" in str(told.value)
    assert "80" in str(told.value)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="the data set is one of TensorFlow")
def test_an_epoch_has_no_more_steps_than_its_data() -> None:
    import tensorflow as tf

    x, y = rows()
    data = tf.data.Dataset.from_tensor_slices((x, y)).batch(20)
    fit = pipeline(sequential(), x=data, steps_per_epoch=50, epochs=2).fact(Fit)
    assert (fit.steps, fit.steps_per_epoch, fit.batches) == (5, 50, 5)

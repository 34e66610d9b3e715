"""What is said of a script that ended without a training."""

import pytest
from facts import outcome

from pipedoctor_checks.run.script_never_trains import script_never_trains

KERAS = """
import keras

def main():
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile(loss="mse")
    model.fit(x, y)

if ready:
    main()
"""
LIGHTNING = """
import lightning
trainer = lightning.Trainer()
if ready:
    trainer.fit(model)
"""
OTHER = """
from sklearn.linear_model import LinearRegression
model = LinearRegression()
if ready:
    model.fit(x, y)
"""
ENDED = {"trainings": 0, "ended": "ran to its end"}


def test_a_fit_of_keras_that_was_not_reached_is_named():
    (finding,) = outcome(script_never_trains, run=ENDED, script=KERAS).findings
    assert "model.fit() of line 7 was called 0 times" in finding.message
    assert finding.where.line == 7


@pytest.mark.parametrize("script", [OTHER, LIGHTNING])
def test_of_another_fit_nothing_is_said(script):
    told = outcome(script_never_trains, run=ENDED, script=script)
    assert not told.findings
    assert "has a fit() that was not reached" in told.reason


def test_other_processes_may_train_with_keras():
    script = f"import subprocess\n{KERAS}\nsubprocess.run(x)"
    told = outcome(script_never_trains, run=ENDED, script=script)
    assert not told.findings
    assert "in a way of its own" in told.reason

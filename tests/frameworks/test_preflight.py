"""The callback that examines when training starts."""

from __future__ import annotations

from typing import Any

import pytest
from capture.pipelines import TRAINS

import pipedoctor
from pipedoctor import Severity

transformers = pytest.importorskip("transformers")


def trainer(labels: int = 3, callback: Any = None, **arguments: Any) -> Any:
    """Build the example's Trainer."""
    text = TRAINS.replace("build().train()", "").replace('print("trained")', "")
    names: dict[str, Any] = {}
    exec(text.replace("parse_args()", f"parse_args(['--num_labels', '{labels}'])"), names)
    transformers.set_seed(0)
    made = names["build"]()
    for name, value in arguments.items():
        setattr(made.args, name, value)
    if callback is not None:
        made.add_callback(callback)
    return made


def losses(made: Any) -> list[float]:
    made.train()
    return [entry["loss"] for entry in made.state.log_history if "loss" in entry]


def test_a_ready_pipeline_trains_the_very_same(capsys: pytest.CaptureFixture[str]) -> None:
    callback = pipedoctor.Preflight()
    assert losses(trainer(callback=callback)) == losses(trainer())
    assert callback.report is not None
    assert callback.report.ready, callback.report
    assert "Ready to train" in capsys.readouterr().err


def test_one_that_is_not_ready_is_stopped() -> None:
    with pytest.raises(pipedoctor.NotReady, match="LAB001") as stopped:
        trainer(2, pipedoctor.Preflight()).train()
    assert stopped.value.report.entries[0].rule.code == "LAB001"


def test_unless_it_is_forced(capsys: pytest.CaptureFixture[str]) -> None:
    made = trainer(callback=pipedoctor.Preflight(force=True), warmup_steps=100)
    assert len(losses(made)) == 3
    assert "HYP003" in capsys.readouterr().err


def test_or_only_graver_faults_stop_it() -> None:
    lenient = pipedoctor.Preflight(fail_on=Severity.ERROR)
    assert len(losses(trainer(callback=lenient, warmup_steps=100))) == 3
    with pytest.raises(pipedoctor.NotReady):
        losses(trainer(callback=pipedoctor.Preflight(), warmup_steps=100))


def test_it_belongs_to_a_trainer() -> None:
    with pytest.raises(RuntimeError, match="called by a Trainer"):
        pipedoctor.Preflight().on_train_begin(None, None, None)

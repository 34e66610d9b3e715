"""Live objects: examined where they are, and left as they were."""

from __future__ import annotations

import random
from typing import Any

import pytest
from capture.pipelines import TRAINS

import pipedoctor

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")


def trainer(num_labels: int = 3) -> Any:
    names: dict[str, Any] = {}
    text = TRAINS.replace("build().train()", "").replace(
        "parse_args()", f"parse_args(['--num_labels', '{num_labels}'])"
    )
    torch.manual_seed(0)
    exec(text, names)
    return names["build"]()


def states() -> list[Any]:
    import numpy as np

    legacy = np.random.get_state()[1].tolist()  # noqa: NPY002 - the state that users' code draws from
    return [random.getstate(), legacy, torch.get_rng_state().tolist()]


def test_a_healthy_trainer_is_ready() -> None:
    report = pipedoctor.examine(trainer())
    assert report.ready, report
    assert report.entries == ()


def test_a_fault_is_named() -> None:
    report = pipedoctor.examine(trainer(2))
    assert [entry.rule.code for entry in report.entries] == ["LAB001"]
    assert "LAB001" in str(report)


def test_everything_is_left_as_it_was() -> None:
    subject = trainer()
    subject.model.train()
    weights = {name: value.clone() for name, value in subject.model.state_dict().items()}
    before = states()
    pipedoctor.examine(subject)
    assert states() == before
    assert all(torch.equal(weights[n], v) for n, v in subject.model.state_dict().items())
    assert all(parameter.grad is None for parameter in subject.model.parameters())
    assert all(module.training for module in subject.model.modules())
    assert subject.optimizer is None


def test_training_after_an_examination_gives_the_very_same_losses() -> None:
    plain, examined = trainer(), trainer()
    pipedoctor.examine(examined)
    histories = []
    for subject in (plain, examined):
        torch.manual_seed(1)
        subject.train()
        histories.append([row["loss"] for row in subject.state.log_history if "loss" in row])
    assert len(histories[0]) == 3
    assert histories[0] == histories[1]


def test_parts_by_name() -> None:
    report = pipedoctor.examine(
        train_data={"text": ["a", "b", "c"], "label": [0, 1, 2]}, settings={"num_labels": 2}
    )
    assert report.entries[0].rule.code == "LAB001"


def test_an_unknown_part_is_an_error() -> None:
    with pytest.raises(TypeError, match="unknown part 'modle'"):
        pipedoctor.examine(modle=1)
    with pytest.raises(TypeError, match="no trainer that pipedoctor knows"):
        pipedoctor.examine(object())


def test_an_adapter_that_cannot_be_loaded_is_a_line_in_the_report(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from pipedoctor import plugins

    broken = {"builtins": plugins.Plugin("builtins", "no_such_adapter")}
    monkeypatch.setattr(plugins, "frameworks", lambda: broken)
    report = pipedoctor.examine(settings={"max_steps": 1000, "warmup_steps": 2000})
    assert [entry.rule.code for entry in report.entries if entry.rule.code == "HYP003"]
    assert any("no_such_adapter" in problem for problem in report.problems)

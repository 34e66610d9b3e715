from __future__ import annotations

import json
from typing import Any

import pytest
from facts import outcome

from pipedoctor_checks.checkpoints.argument_ignored_on_resume import argument_ignored_on_resume


def told(state: dict[str, Any], **stated: Any) -> tuple[Any, ...]:
    return outcome(
        argument_ignored_on_resume,
        settings={"resume_from_checkpoint": "out/checkpoint-5", **stated},
        files={"checkpoint": {"global_step": 5, **state}},
        environment={"transformers": "5.23.0", "gpus": 0},
    ).findings


LOG = {"log_history": [{"step": 1, "learning_rate": 4e-5}, {"step": 5, "loss": 1.0}]}


@pytest.mark.parametrize(
    ("state", "stated"),
    [
        (LOG, {"learning_rate": 4e-5}),
        (LOG, {"learning_rate": 5e-5}),
        ({}, {"learning_rate": 1e-9}),
        ({"log_history": "broken"}, {"learning_rate": 1e-9}),
        ({"log_history": [{"learning_rate": "text"}, 3]}, {"learning_rate": 1e-9}),
        ({"train_batch_size": 8}, {}),
        ({"train_batch_size": None}, {"per_device_train_batch_size": 4}),
        ({"train_batch_size": 4}, {"auto_find_batch_size": True}),
    ],
    ids=str,
)
def test_the_same_or_not_known(state: dict[str, Any], stated: dict[str, Any]) -> None:
    assert told(state, **stated) == ()


def test_a_batch_size_that_changed() -> None:
    (finding,) = told({"train_batch_size": 4}, per_device_train_batch_size=16)
    assert finding.evidence == {"batch_size": 16, "checkpoint": 4, "step": 5}
    assert finding.remedy == 'set "per_device_train_batch_size": 4'


def test_the_real_one_trains_on_with_the_rate_of_the_checkpoint(tmp_path: Any) -> None:
    """A run of four steps goes on to eight with a tenth of the rate, and does not use it."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")

    class Line(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.line = torch.nn.Linear(1, 1)

        def forward(self, x: Any, labels: Any = None) -> dict[str, Any]:
            out = self.line(x[:, None].float())[:, 0]
            return {"loss": ((out - labels.float()) ** 2).mean(), "logits": out}

    def trainer(rate: float, steps: int) -> Any:
        arguments = transformers.TrainingArguments(
            str(tmp_path),
            learning_rate=rate,
            max_steps=steps,
            lr_scheduler_type="constant",
            save_steps=4,
            logging_steps=1,
            report_to="none",
            use_cpu=True,
            disable_tqdm=True,
        )
        rows = [{"x": n, "labels": n} for n in range(16)]
        return transformers.Trainer(Line(), arguments, train_dataset=rows)

    trainer(1e-3, 4).train()
    second = trainer(1e-4, 8)
    second.train(resume_from_checkpoint=True)
    rates = {line["learning_rate"] for line in second.state.log_history if "learning_rate" in line}
    assert rates == {1e-3}
    state = json.loads((tmp_path / "checkpoint-4" / "trainer_state.json").read_text())
    (finding,) = told(state, learning_rate=1e-4)
    assert finding.evidence == {"learning_rate": 1e-4, "checkpoint": 1e-3, "step": 4}

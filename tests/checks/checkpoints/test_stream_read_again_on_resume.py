"""Two checks of streamed data: what is read again, and an order that is asked for in vain."""

from __future__ import annotations

from typing import Any

import pytest
from facts import outcome

from pipedoctor_checks.checkpoints.stream_read_again_on_resume import stream_read_again_on_resume
from pipedoctor_checks.hyperparameters.sampling_strategy_without_effect import (
    sampling_strategy_without_effect,
)


def told(check: Any, *, streamed: bool = True, step: int = 5000, **stated: Any) -> tuple[Any, ...]:
    version = stated.pop("version", "5.23.0")
    rows = [{"x": n} for n in range(16)]
    return outcome(
        check,
        settings={"max_steps": 9000, **stated},
        train_data=iter(rows) if streamed else rows,
        files={"checkpoint": {"global_step": step}},
        environment={"transformers": version, "gpus": 0},
    ).findings


RESUMED = {"resume_from_checkpoint": "out/checkpoint-5000"}


def test_how_much_is_read_again() -> None:
    (finding,) = told(stream_read_again_on_resume, **RESUMED, gradient_accumulation_steps=4)
    assert finding.evidence == {"step": 5000, "batches": 20_000, "batch_size": 8}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {**RESUMED, "streamed": False},
        {**RESUMED, "step": 10},
        {**RESUMED, "ignore_data_skip": True},
    ],
    ids=str,
)
def test_nothing_is_read_again(given: dict[str, Any]) -> None:
    assert told(stream_read_again_on_resume, **given) == ()


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"train_sampling_strategy": "group_by_length"}, 1),
        ({"group_by_length": True, "version": "4.57.6"}, 1),
        ({"group_by_length": True}, 0),  # argument-removed speaks of it
        ({"group_by_length": False, "version": "4.57.6"}, 0),
        ({"train_sampling_strategy": "random"}, 0),
        ({}, 0),
        ({"train_sampling_strategy": "group_by_length", "streamed": False}, 0),
    ],
    ids=str,
)
def test_an_order_in_vain(given: dict[str, Any], found: int) -> None:
    assert len(told(sampling_strategy_without_effect, **given)) == found


def test_the_real_trainer_draws_a_stream_in_its_order(tmp_path: Any) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    seen: list[int] = []

    class Stream(torch.utils.data.IterableDataset):
        def __iter__(self) -> Any:
            for number in range(8):
                yield {"input_ids": [number] * (8 - number), "labels": 0}

    def collate(rows: list[dict[str, Any]]) -> dict[str, Any]:
        seen.extend(row["input_ids"][0] for row in rows)
        return {"x": torch.ones(len(rows), 1), "labels": torch.zeros(len(rows))}

    class Line(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.line = torch.nn.Linear(1, 1)

        def forward(self, x: Any, labels: Any = None) -> dict[str, Any]:
            return {"loss": self.line(x).mean()}

    transformers.Trainer(
        Line(),
        transformers.TrainingArguments(
            str(tmp_path),
            max_steps=2,
            per_device_train_batch_size=4,
            train_sampling_strategy="group_by_length",
            remove_unused_columns=False,
            report_to="none",
            use_cpu=True,
            disable_tqdm=True,
        ),
        train_dataset=Stream(),
        data_collator=collate,
    ).train()
    assert seen[:8] == list(range(8))

"""A Trainer of one layer and sixteen rows, for tests that ask the real one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest


@dataclass
class Run:
    """What stood on the disk after each save, and at the end, and which checkpoint was best."""

    saves: list[list[int]] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    best: str | None = None


def train(folder: Path, scores: Callable[[int], float] = float, **stated: Any) -> Run:
    """
    Train ten steps, or as stated; `scores` gives the metric "score" of each evaluation.

    What Trainer raises is passed on.
    """
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    run = Run()
    counter = iter(range(10_000))

    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(2, 2)

        def forward(self, x: Any, labels: Any = None) -> dict[str, Any]:
            logits = self.layer(x)
            return {"loss": torch.nn.functional.cross_entropy(logits, labels), "logits": logits}

    class Watch(transformers.TrainerCallback):
        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            run.saves.append(checkpoints(folder))

        def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            run.left = checkpoints(folder)
            best = state.best_model_checkpoint
            run.best = Path(best).name if best else None

    rows = [{"x": [0.1 * n, 1.0], "labels": n % 2} for n in range(16)]
    base = {
        "output_dir": str(folder),
        "report_to": "none",
        "use_cpu": True,
        "disable_tqdm": True,
        "max_steps": 10,
        "per_device_train_batch_size": 4,
    }
    transformers.Trainer(
        model=Model(),
        args=transformers.TrainingArguments(**{**base, **stated}),
        train_dataset=rows,
        eval_dataset=rows,
        compute_metrics=lambda _: {"score": scores(next(counter))},
        callbacks=[Watch()],
    ).train()
    return run


def checkpoints(folder: Path) -> list[int]:
    """Return the steps of the checkpoints in a folder."""
    found = (re.fullmatch(r"checkpoint-(\d+)", path.name) for path in folder.iterdir())
    return sorted(int(match[1]) for match in found if match)


def refusal(**stated: Any) -> str | None:
    """Return what the real `TrainingArguments` raise at these settings; None if they take them."""
    transformers = pytest.importorskip("transformers")
    try:
        transformers.TrainingArguments(use_cpu=True, **stated)
    except ValueError as error:
        return str(error)
    return None

"""A small model whose loss takes the logarithm of a weight that each row brings along."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

BAD_ROW = 77


class Weighted(torch.nn.Module):  # type: ignore[misc]  # torch is Any here
    """`loss` is a cross-entropy times log(w): infinite where w is 0, `eps` mends it."""

    def __init__(self, eps: float = 0.0) -> None:
        super().__init__()
        self.body = torch.nn.Linear(2, 6)
        self.norm = torch.nn.BatchNorm1d(6)
        self.drop = torch.nn.Dropout(0.5)
        self.head = torch.nn.Linear(6, 2)
        self.eps = eps

    def forward(self, x: Any, w: Any, labels: Any = None) -> dict[str, Any]:
        logits = self.head(self.drop(self.norm(self.body(x)).relu()))
        each = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
        return {"loss": (each * (w + self.eps).log()).mean(), "logits": logits}


def mended() -> Any:
    """Return the model with the cure."""
    return Weighted(eps=1e-6)


def build() -> Any:
    """Return the model as it is."""
    return Weighted()


def rows(bad: int | None = BAD_ROW) -> list[dict[str, Any]]:
    """Return 160 rows, one of which has the weight 0."""
    made: list[dict[str, Any]] = [
        {"x": [0.1 * n, 1.0], "w": 1.5, "labels": n % 2} for n in range(160)
    ]
    if bad is not None:
        made[bad]["w"] = 0.0
    return made


def trainer(folder: Path, recorder: Any, bad: int | None = BAD_ROW, **stated: Any) -> Any:
    """Return a Trainer of the model that would train twenty steps."""
    torch.manual_seed(0)
    settings: dict[str, Any] = {
        "output_dir": str(folder),
        "use_cpu": True,
        "report_to": "none",
        "disable_tqdm": True,
        "max_steps": 20,
        "per_device_train_batch_size": 8,
        "save_strategy": "no",
        **stated,
    }
    return transformers.Trainer(
        model=Weighted(),
        args=transformers.TrainingArguments(**settings),
        train_dataset=rows(bad),
        callbacks=[] if recorder is None else [recorder],
    )


def digest(model: Any) -> list[Any]:
    """Return all that a training changes in a model."""
    return [tensor.detach().clone() for tensor in model.state_dict().values()]

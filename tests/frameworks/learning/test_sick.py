"""Real pipelines with real faults: what is said first; some here, all of them in the deep suite."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from overfit_pipelines import overfit  # noqa: E402 - after importorskip
from sick_pipelines import FAULTS, PIPELINES, Fault, combinations, examined, right  # noqa: E402 - likewise

from pipedoctor.frameworks.capture.trainer import unpack  # noqa: E402 - likewise
from pipedoctor.frameworks.restoring.digests import digest  # noqa: E402 - likewise
from pipedoctor.pipeline import ProbeFailed  # noqa: E402 - likewise

FEW = {
    ("chat", None), ("chat", "schedule_by_batch"), ("chat", "negated"), ("news", "head_in_a_list"),
    ("qnli", "labels_masked"), ("qnli", "one_label"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        pytest.param(
            name,
            fault,
            id=f"{name}-{fault.name if fault else 'healthy'}",
            marks=() if (name, fault.name if fault else None) in FEW else (pytest.mark.deep,),
        )
        for name, fault in combinations()
    ],
)
def test_the_reason_is_named_first(name: str, fault: Fault | None, tmp_path: Path) -> None:
    fact, same = examined(name, fault, tmp_path)
    assert right(fact, fault), fact.figures()
    assert same
    assert fact.restored


def test_each_pipeline_has_twelve_faults_and_more() -> None:
    for name in PIPELINES:
        assert sum(name in fault.pipelines for fault in FAULTS) >= 12


def _interrupting(trainer: Any, after: int, how: str) -> list[int]:
    """Have the loss raise, or press Ctrl-C, when it was computed so many times."""
    made: list[int] = []
    compute = trainer.compute_loss

    def counting(*words: Any, **keywords: Any) -> Any:
        made.append(1)
        if len(made) > after:
            if how == "exception":
                message = "the user's loss"
                raise ZeroDivisionError(message)
            signal.raise_signal(signal.SIGINT)
        return compute(*words, **keywords)

    trainer.compute_loss = counting
    return made


@pytest.mark.parametrize("how", ["exception", "ctrl-c"])
@pytest.mark.parametrize("after", [0, 2, 7])
@pytest.mark.parametrize(
    "name", ["chat", *(pytest.param(n, marks=pytest.mark.deep) for n in ("qnli", "news"))]
)
def test_an_interruption_in_the_users_loss_leaves_all_as_it_was(
    name: str, after: int, how: str, tmp_path: Path
) -> None:
    trainer = PIPELINES[name](tmp_path)
    trainer.optimizer = torch.optim.AdamW(trainer.model.parameters(), lr=1e-9)
    made = _interrupting(trainer, after, how)
    before = digest(trainer.model, trainer.optimizer)
    with pytest.raises(KeyboardInterrupt if how == "ctrl-c" else ProbeFailed):
        overfit({"trainer": trainer, **unpack(trainer)})
    assert len(made) == after + 1
    assert digest(trainer.model, trainer.optimizer) == before

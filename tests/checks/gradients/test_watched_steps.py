"""What the steps of a loop show, where its text tells nothing or something else."""

from __future__ import annotations

from typing import Any

import pytest

from pipedoctor import Severity
from pipedoctor.facts import Loop, LoopStep, Mode, Script, Stepper
from pipedoctor.finding import Finding, Location
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline
from pipedoctor.probes.script.reader import script
from pipedoctor.targets.script import ScriptText
from pipedoctor_checks.gradients.exploding_gradients import exploding_gradients
from pipedoctor_checks.gradients.gradients_cleared_before_the_step import (
    gradients_cleared_before_the_step,
)
from pipedoctor_checks.gradients.gradients_never_cleared import gradients_never_cleared
from pipedoctor_checks.gradients.left_in_eval_mode import left_in_eval_mode

CLEARS_NOTHING = """
import torch
model = torch.nn.Linear(2, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for x in data:
    model(x).mean().backward()
    optimizer.step()
"""


def text(source: str = "import torch\n") -> Script:
    parts = Parts({"script": ScriptText.of(source, "train.py")})
    return Pipeline(parts, [script]).fact(Script)


def loop(steps: list[dict[str, Any]], **more: Any) -> Loop:
    made = [
        LoopStep(number, step.pop("optimizer", 0), 1, **step)
        for number, step in enumerate(map(dict, steps), 1)
    ]
    optimizers = tuple(
        Stepper("SGD", f"optimizer{number}", len(made), Location("train.py", 21))
        for number in sorted({step.optimizer for step in made})
    )
    where = Location("train.py", 20)
    return Loop(tuple(made), len(made), optimizers, backward=where, **more)


def stale(*counts: int | None) -> list[Finding]:
    steps = [{"loss": 1.0, "norm": 1.0, "stale": count} for count in counts]
    return list(gradients_never_cleared(text(CLEARS_NOTHING), loop(steps)))


def test_gradients_that_are_never_cleared() -> None:
    (finding,) = stale(None, 4, 4, 4)
    assert finding.message.startswith("3 of 3 steps of SGD used gradients")
    assert finding.where.line == 21
    assert finding.remedy == "call optimizer0.zero_grad() before line 20, in the same loop"


@pytest.mark.parametrize("counts", [(None, 0, 0, 0), (None, 4, 0, 0), (None, 4, 4, 0, 0, 0)])
def test_what_is_seen_outranks_the_text(counts: tuple[int | None, ...]) -> None:
    assert stale(*counts) == []
    assert len(list(gradients_never_cleared(text(CLEARS_NOTHING)))) == 1


def test_one_of_two_optimizers_clears_nothing() -> None:
    steps = [{"optimizer": n % 2, "stale": None if n < 2 else 3 * (n % 2)} for n in range(10)]
    (finding,) = gradients_never_cleared(text(), loop(steps))
    assert finding.message.startswith("4 of 4 steps")
    assert "optimizer1.zero_grad()" in finding.remedy


def mode(steps: int, in_eval: int, since: int | None, **more: Any) -> list[Finding]:
    told = Mode("net", steps, in_eval, since, **{"layers": ("dropout",), **more})
    return list(left_in_eval_mode(text(), loop([{}] * steps, modes=(told,))))


def test_a_model_that_is_in_evaluation_mode_from_some_step_on() -> None:
    (finding,) = mode(10, 4, 7)
    assert "from step 7 on, to step 10: dropout does not work" in finding.message
    assert finding.severity is None
    assert "net.train()" in finding.remedy


def test_batch_normalisation_without_statistics_is_an_error() -> None:
    (finding,) = mode(6, 6, 1, layers=("batch normalisation", "dropout"), idle=2)
    assert finding.severity is Severity.ERROR
    assert "in all 6 steps: batch normalisation and dropout do not work" in finding.message
    assert "2 of its layers normalise with" in finding.message


@pytest.mark.parametrize(
    ("steps", "in_eval", "since", "layers"),
    [
        (10, 0, None, ("dropout",)),
        (10, 5, None, ("dropout",)),
        (10, 10, 1, ()),
        (10, 1, 10, ("x",)),
    ],
)
def test_modes_that_are_as_they_should_be(
    steps: int, in_eval: int, since: int | None, layers: tuple[str, ...]
) -> None:
    assert mode(steps, in_eval, since, layers=layers) == []


def test_gradients_that_are_cleared_too_soon() -> None:
    empty = [{"loss": 1.0, "cleared": True}] * 3
    (finding,) = gradients_cleared_before_the_step(loop(empty))
    assert "between line 20 and line 21" in finding.message
    assert list(gradients_cleared_before_the_step(loop([*empty, {"norm": 0.5}]))) == []
    assert list(gradients_cleared_before_the_step(loop(empty[:1]))) == []


def runs(losses: list[float], **more: Any) -> list[Finding]:
    steps = [{"loss": loss, "norm": loss, "rate": 0.5} for loss in losses]
    return list(exploding_gradients(loop(steps, **more)))


def test_a_loss_that_runs_away() -> None:
    (finding,) = runs([1.5**n for n in range(20)])
    assert finding.remedy.startswith("try lr=0.05")
    assert finding.evidence["rate"] == 0.5


@pytest.mark.parametrize(
    "losses",
    [
        [1.0 / (n + 1) for n in range(20)],
        [1.0 + 0.4 * n for n in range(20)],
        [1.5**n for n in range(10)],
        [-(1.5**n) for n in range(20)],
        [*[1.0] * 17, 900.0, 900.0],
    ],
    ids=["falls", "rises a little", "too few", "negative", "two outliers"],
)
def test_losses_that_do_not(losses: list[float]) -> None:
    assert runs(losses) == []

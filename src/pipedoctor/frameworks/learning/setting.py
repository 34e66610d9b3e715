"""All around a learner of torch: its optimizer, loss and precision, and the way back of everything."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.facts.settings import Settings
from pipedoctor.frameworks.data.feeding import take_pad_token
from pipedoctor.frameworks.learning.torch_learner import (
    TorchLearner,
    demand_step,
    without_dropout,
)
from pipedoctor.frameworks.learning.torch_looks import Look
from pipedoctor.frameworks.restoring.interrupts import held
from pipedoctor.frameworks.restoring.restore import random_states, training
from pipedoctor.frameworks.restoring.stepping import steps_undone
from pipedoctor.frameworks.tracing.replay import Step
from pipedoctor.frameworks.training import backward, checkpointing
from pipedoctor.frameworks.training.memory import within_memory
from pipedoctor.frameworks.training.optimizers import Built
from pipedoctor.frameworks.training.own_loss import training_loss
from pipedoctor.pipeline import Pipeline, ProbeFailed
from pipedoctor.units import rate as written

RATE = 5e-5
"""Trainer's learning rate where nobody states one."""


def alone(model: Any) -> None:
    """Raise `Unavailable` unless the whole model is here, and no other process waits for a step."""
    import torch

    backward.whole(model)
    together = torch.distributed.is_available() and torch.distributed.is_initialized()
    if together and torch.distributed.get_world_size() > 1:
        raise Unavailable("a training on one batch would wait for the other processes")


def optimizer(pipeline: Pipeline, model: Any, notes: list[str]) -> Any:
    """
    Return the optimizer of the run, or the one that Trainer makes where nothing is stated.

    Raises:
        Unavailable: It can't step by itself.

    """
    import torch

    try:
        built = pipeline.fact(Built).optimizer
    except (Unavailable, ProbeFailed) as reason:
        stated = _stated(pipeline, "learning_rate")
        rate = float(stated) if isinstance(stated, (int, float)) else RATE
        trained = [p for p in model.parameters() if p.requires_grad]
        spare = trained or [torch.nn.Parameter(torch.zeros(1))]
        notes.append(
            f"the optimizer is AdamW at {written(rate)}, as Trainer makes it where nothing else "
            f"is stated ({reason})"
        )
        return torch.optim.AdamW(spare, lr=rate)
    notes.append("the learning rate is the optimizer's own at each step, unscheduled")
    found = getattr(built, "optimizer", built)
    demand_step(found)
    return found


@contextmanager
def learning(
    pipeline: Pipeline,
    model: Any,
    optimizer: Any,
    inputs: Mapping[str, Any],
    notes: list[str],
) -> Iterator[TorchLearner]:
    """
    Yield what trains the model on a batch as the run does, and put everything back at the end.

    What the user should know of it goes into `notes`.
    """
    settings = pipeline.optional(Settings)
    trainer = pipeline.parts.get("trainer")
    half = backward.autocast(trainer, settings, model)
    compute = _loss(pipeline, inputs) if trainer is None else training_loss(trainer)
    with ExitStack() as stack:
        stack.enter_context(held())  # the last to go: what is put back is put back as a whole
        stack.enter_context(random_states())
        stack.enter_context(training(model))
        every = list(model.parameters())
        stack.enter_context(backward.without_hooks(every))  # an optimizer may step in one
        stack.enter_context(within_memory(model))
        standing = stack.enter_context(steps_undone(model, optimizer, spilling=True))
        if standing.spilled:
            notes.append("the copies of weights and optimizer lie in a temporary file")
        if "transformers" in pipeline.parts.packages("model"):
            take_pad_token(pipeline, model)
        checkpointing.enable(model, settings)
        if without_dropout(model):
            notes.append("dropout is off, so that the curve shows learning and no noise")
        step = Step(model, compute, half, _scale(model, half))
        learner = TorchLearner(step, inputs, optimizer, standing, _clip(pipeline))
        stack.callback(learner.close)
        yield learner


def label_names(pipeline: Pipeline) -> Sequence[str]:
    """Return the names of the labels that are stated."""
    stated = _stated(pipeline, "label_names")
    return stated if isinstance(stated, (list, tuple)) else ()


def _loss(pipeline: Pipeline, inputs: Mapping[str, Any]) -> Callable[[Any, Any], Any]:
    """Return what computes the model's own loss, or that of the loss function that was given."""
    given = pipeline.parts.get("loss")
    names = Look.at(inputs, label_names(pipeline)).names

    def compute(model: Any, inputs: Any) -> Any:
        from pipedoctor.frameworks.torch import outputs_of

        if callable(given) and len(names) == 1:
            words = {n: v for n, v in inputs.items() if n not in names}
            answer = model(**words)
            outputs = outputs_of(answer)
            return given(outputs.get("logits", answer), inputs[names[0]])
        loss = outputs_of(model(**inputs)).get("loss")
        if loss is None:
            raise Unavailable("the model returned no loss")
        return loss.mean()

    return compute


def _scale(model: Any, half: Callable[[], Any]) -> float:
    device = next((p.device.type for p in model.parameters()), "cpu")
    with half():
        return backward.SCALE if backward.in_float16(device) else 1.0


def _clip(pipeline: Pipeline) -> float | None:
    stated = _stated(pipeline, "max_grad_norm")
    return float(stated) if isinstance(stated, (int, float)) and stated else None


def _stated(pipeline: Pipeline, name: str) -> Any:
    settings = pipeline.optional(Settings)
    return settings.get(name) if settings is not None else None

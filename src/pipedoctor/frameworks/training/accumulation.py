"""A batch in one piece and in two, each through the trainer's own training step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts.accumulated import Accumulated
from pipedoctor.frameworks.data.batches import Batches, of_rows
from pipedoctor.frameworks.data.feeding import take_pad_token
from pipedoctor.frameworks.double import double
from pipedoctor.frameworks.overrides import made_by
from pipedoctor.frameworks.restoring.restore import random_states, training
from pipedoctor.frameworks.training import backward
from pipedoctor.frameworks.training.memory import within_memory
from pipedoctor.frameworks.training.own_loss import LIBRARIES, training_loss
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe

MOST = 16
"""So many rows at most are taken."""

ELEMENTS = 50_000
"""Of each parameter's gradient, so many elements are compared, spread evenly over it."""


@probe(Accumulated, Cost.BACKWARD, "model", "train_data", "trainer", user_code=True)
def accumulated(pipeline: Pipeline, _split: Split) -> Accumulated:
    """Take the gradient of a batch, and those of its halves as they are accumulated."""
    trainer = pipeline.part("trainer")
    steps = getattr(trainer.args, "gradient_accumulation_steps", 1)
    if not isinstance(steps, int) or steps < 2:
        raise Unavailable("nothing is accumulated: gradient_accumulation_steps is 1")
    training_loss(trainer)  # raises where a training step is more than the loss of a batch
    if not hasattr(trainer, "current_gradient_accumulation_steps") and not hasattr(
        trainer, "_get_num_items_in_batch"
    ):
        raise Unavailable("this release of transformers counts no items over accumulated batches")
    if getattr(trainer, "is_deepspeed_enabled", False) or trainer.args.world_size > 1:
        raise Unavailable("the step of several processes is not made here")
    model = pipeline.part("model")
    backward.whole(model)
    rows = pipeline.fact(Batches, Split.TRAIN).made[0].rows
    half = max(1, min(len(rows), MOST) // 2)
    rows = rows[: 2 * half] if len(rows) > 1 else (rows[0], rows[0] + 1)
    try:
        whole, first, second = (
            of_rows(pipeline, Split.TRAIN, part) for part in (rows, rows[:half], rows[half:])
        )
    except (TypeError, IndexError, KeyError):  # a stream has no rows by number
        raise Unavailable("the data gives no rows by their numbers") from None
    with random_states(), training(model), _evaluating(model), within_memory(model):
        every = list(model.parameters())
        with backward.without_hooks(every):
            take_pad_token(pipeline, model)
            steps_of = _Steps(double(trainer), model)
            gradients = [
                steps_of.gradient(whole.arrays, [whole.arrays]),
                *(
                    steps_of.gradient(one.arrays, [first.arrays, second.arrays])
                    for one in (first, second)
                ),
            ]
            counts = steps_of.counts(whole.arrays) if _own(trainer) else None
    shares, residual = _put_together(*gradients)
    return Accumulated(
        steps=steps,
        rows=len(rows),
        items=_items(first.arrays, second.arrays),
        whole=float(gradients[0].norm()),
        parts=float((gradients[1] + gradients[2]).norm()),
        shares=shares,
        residual=residual,
        own=_own(trainer),
        counts=counts,
        model=type(model).__name__,
        foreign=type(model).__module__.partition(".")[0] in LIBRARIES,
        settable=hasattr(trainer, "loss_is_scaled_for_ga"),
    )


class _Steps:
    """Training steps on a double of the trainer; the weights stay."""

    def __init__(self, twin: Any, model: Any) -> None:
        self._twin = twin
        self._model = model

    def gradient(self, inputs: Any, together: Sequence[Any]) -> Any:
        """Return some of the gradient that a batch adds, accumulated with others."""
        import torch

        twin = self._twin
        twin.current_gradient_accumulation_steps = len(together)
        device = twin.args.device
        items = twin._get_num_items_in_batch(list(together), device)  # noqa: SLF001 - as train() does
        for parameter in self._model.parameters():
            parameter.grad = None
        with torch.enable_grad():
            twin.training_step(self._model, dict(inputs), items)
        told = []
        for parameter in self._model.parameters():
            if parameter.requires_grad:
                full = (
                    parameter.grad if parameter.grad is not None else torch.zeros_like(parameter)
                )
                flat = (full.to_dense() if full.is_sparse else full).detach().flatten()
                told.append(flat[:: max(1, flat.numel() // ELEMENTS)].double().cpu())
                parameter.grad = None
        if not told:
            raise Unavailable("nothing is trained")
        return torch.cat(told)

    def counts(self, inputs: Any) -> bool | None:
        """Whether the loss changes with the number of items that it is told."""
        import torch

        twin = self._twin
        items = twin._get_num_items_in_batch([inputs], twin.args.device)  # noqa: SLF001 - likewise
        if items is None:
            return None
        losses = []
        with torch.no_grad():
            for told in (items, items * 2):
                prepared = twin._prepare_inputs(dict(inputs))  # noqa: SLF001 - likewise
                loss = twin.compute_loss(self._model, prepared, num_items_in_batch=told)
                losses.append(float(loss.detach().float().mean()))
        return abs(losses[0] - losses[1]) > 1e-6 * max(map(abs, losses))


@contextmanager
def _evaluating(model: Any) -> Iterator[None]:
    """Keep a model in evaluation mode, though a training step wants to change that."""
    model.eval()
    vars(model)["train"] = lambda _mode=True: model
    try:
        yield
    finally:
        del vars(model)["train"]


def _put_together(whole: Any, first: Any, second: Any) -> tuple[tuple[float, float], float]:
    """Return how much of each part the whole is made of, and what share of it is left over."""
    import torch

    if not all(bool(one.isfinite().all()) for one in (whole, first, second)):
        raise Unavailable("the gradient is not finite")
    size = float(whole.norm())
    parts = torch.stack([first, second], dim=1)
    if not size or not float(first.norm()) or not float(second.norm()):
        raise Unavailable("the gradient is 0")
    normal = parts.T @ parts
    # Parts that point in the same direction can't be told apart by what they are made into.
    if float(torch.linalg.det(normal)) < 1e-4 * float(normal[0, 0] * normal[1, 1]):
        raise Unavailable("both parts of the batch have the same gradient")
    shares = torch.linalg.solve(normal, parts.T @ whole)
    residual = float((parts @ shares - whole).norm()) / size
    return (float(shares[0]), float(shares[1])), residual


def _items(*batches: Any) -> tuple[int, int] | None:
    labels = [batch.get("labels") for batch in batches]
    if any(not hasattr(one, "ne") or one.is_floating_point() for one in labels):
        return None
    one, other = (int(held.ne(-100).sum()) for held in labels)
    return one, other


def _own(trainer: Any) -> str:
    if getattr(trainer, "compute_loss_func", None) is not None:
        return "compute_loss_func"
    own = made_by(trainer, "compute_loss") not in {*LIBRARIES, None}
    return "compute_loss" if own else ""

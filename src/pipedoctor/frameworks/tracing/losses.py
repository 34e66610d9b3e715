"""A loss that was computed beside the model, computed again from what a capsule holds."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pipedoctor.frameworks.training.own_loss import Loss, recorded_loss
from pipedoctor.recorder import rerun
from pipedoctor.recorder.capsule import CapsuleError, Replayable
from pipedoctor.recorder.surroundings import SMOOTHING, OwnLoss, source_of_loss


def of(made: Replayable, trainer: Any) -> Loss:
    """
    Return what computes the loss of a pass.

    Label smoothing is transformers' own, and the capsule says how much of it there was; a loss of
    the user's is taken from the trainer of the target.

    Raises:
        CapsuleError: The target has no such trainer.

    """
    own = made.own
    assert own is not None
    compute = _smoothed(made, own) if own.kind == SMOOTHING else _of_trainer(made, own, trainer)

    def under_autocast(model: Any, inputs: Any) -> Any:
        with _half(model, made.half):
            return compute(model, inputs)

    return under_autocast


def same(made: Replayable, loss: float) -> bool:
    """Whether a loss is bit for bit the recorded one, which may be a part of the batch's."""
    import torch

    divided = float(torch.tensor(loss) / made.parts)
    return repr(made.loss) in {repr(loss), repr(divided)}


def _smoothed(made: Replayable, own: OwnLoss) -> Loss:
    from transformers.trainer_pt_utils import LabelSmoother

    smoother = LabelSmoother(epsilon=own.epsilon)
    known = inspect.signature(smoother.__call__).parameters
    counted = {"num_items_in_batch": made.items}

    def compute(model: Any, inputs: Mapping[str, Any]) -> Any:
        given = dict(inputs)
        labels = given.pop("labels", None)
        answer = model(**given, **(counted if made.counted else {}))
        if labels is None:  # then Trainer takes the loss of the model
            return answer["loss"] if isinstance(answer, dict) else answer[0]
        words = counted if "num_items_in_batch" in known else {}
        return smoother(answer, labels, shift_labels=own.shifted, **words)

    return compute


def _of_trainer(made: Replayable, own: OwnLoss, trainer: Any) -> Loss:
    if trainer is None:
        raise CapsuleError(
            f"the loss was computed beside the model, by {own.name}; name the script or the "
            "function that makes the trainer as the target"
        )
    here = source_of_loss(trainer)
    if here is None or here.kind != own.kind:
        raise CapsuleError(
            f"the loss was computed by {own.name} ({own.kind}), and the trainer of the target "
            f"has {'none of its own' if here is None else f'{here.kind} instead'}"
        )
    return recorded_loss(trainer, made.items)


@contextmanager
def _half(model: Any, half: str) -> Iterator[None]:
    """Have the model, and only that, compute as accelerate makes it: with answers in float32."""
    if not half:
        yield
        return
    from accelerate.utils import convert_outputs_to_fp32

    plain, own = model.forward, "forward" in vars(model)

    def forward(*words: Any, **keywords: Any) -> Any:
        with rerun.half_precision(half, model):
            return plain(*words, **keywords)

    model.forward = convert_outputs_to_fp32(forward)
    try:
        yield
    finally:
        if own:
            model.forward = plain
        else:
            del model.forward

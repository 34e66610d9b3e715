"""
What the loop of a Trainer knows at the moment it calls back, which it tells no callback.

Its frame is read, and nothing in it is changed: the trainer itself, the whole batches (the model
is not given labels that a loss beside it is computed from), the number of items that the loss is
divided by, the norm of the gradients. Where the frame is not as it is known, nothing is told.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipedoctor.frameworks.overrides import made_by
from pipedoctor.frameworks.training.own_loss import LIBRARIES
from pipedoctor.recorder import states

FAR = 8
"""A callback is called by the handler of callbacks, and that by the loop: four frames."""

SMOOTHING, FUNCTION, METHOD = "label smoothing", "compute_loss_func", "compute_loss"
"""What computes a loss beside the model."""


@dataclass(frozen=True)
class Surroundings:
    """The trainer, the batches of the present step, and what was computed of them."""

    trainer: Any
    batches: Sequence[Any] = ()
    items: Any = None
    norm: Any = None
    loss: Any = None
    """That of the last batch, divided as the gradient is."""


@dataclass(frozen=True)
class OwnLoss:
    """
    A loss that is computed beside the model: `kind` says by what, `name` by which function.

    `epsilon` and `shifted` are those of label smoothing: how much, and whether the labels are
    those of the next token.
    """

    kind: str
    name: str = ""
    epsilon: float = 0.0
    shifted: bool = False


@dataclass(frozen=True)
class Whole:
    """
    One batch as such a loss got it, and the random states that its computation began with.

    `loss` is that of the batch, or that divided by `parts`; None where it is not known.
    """

    own: OwnLoss
    inputs: Mapping[str, Any]
    items: Any
    random: Mapping[str, Any]
    loss: Any = None
    parts: int = 1


def here() -> Surroundings | None:
    """Return what surrounds a callback that is being called; None where that can't be told."""
    frame: Any = sys._getframe(1)  # noqa: SLF001 - there is no other way to one's callers
    for _ in range(FAR):
        frame = frame.f_back
        if frame is None:
            return None
        names = frame.f_code.co_varnames
        if frame.f_globals.get("__name__") == "transformers.trainer" and names[:1] == ("self",):
            known = frame.f_locals
            batches = known.get("batch_samples")
            return Surroundings(
                trainer=known.get("self"),
                batches=batches if isinstance(batches, (list, tuple)) else (),
                items=known.get("num_items_in_batch"),
                norm=known.get("grad_norm"),
                loss=known.get("tr_loss_step"),
            )
    return None


def source_of_loss(trainer: Any) -> OwnLoss | None:
    """Return what computes the loss of a trainer; None if the model itself does."""
    if trainer is None or made_by(trainer, "training_step") not in LIBRARIES:
        return None  # more than the loss of a batch
    if made_by(trainer, METHOD) not in LIBRARIES:
        return OwnLoss(METHOD, _name(type(trainer).compute_loss))
    function = getattr(trainer, FUNCTION, None)
    if function is not None:
        return OwnLoss(FUNCTION, _name(function))
    smoother = getattr(trainer, "label_smoother", None)
    if smoother is None:
        return None
    return OwnLoss(SMOOTHING, epsilon=float(smoother.epsilon), shifted=_shifted(trainer))


def _name(function: Any) -> str:
    """Return the name of a function or of what can be called."""
    if not hasattr(function, "__qualname__"):
        function = type(function)
    return f"{function.__module__}.{function.__qualname__}"


def _shifted(trainer: Any) -> bool:
    """Whether Trainer smooths the labels of the next token: for a causal model, by its name."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    model = trainer.accelerator.unwrap_model(trainer.model)
    inner = getattr(getattr(model, "base_model", None), "model", None)
    names = {type(part).__name__ for part in (model, inner) if part is not None}
    return bool(names & set(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.values()))


def sound_norm(around: Surroundings) -> bool:
    """Whether the trainer has just found the norm of all gradients to be a finite number."""
    trainer = around.trainer
    deepspeed = getattr(trainer.args, "deepspeed", None)  # its norm is that of an earlier step
    if around.norm is None or deepspeed:
        return False
    ways = (made_by(trainer, name) for name in ("_clip_grad_norm", "_get_grad_norm"))
    if any(way not in {"transformers", None} for way in ways):
        return False
    norm = float(around.norm)
    return norm - norm == 0


class Beginnings:
    """The random states in which the batches of a step are begun, as far as a loss draws any."""

    def __init__(self, own: OwnLoss) -> None:
        """Begin with none."""
        self._own = own
        self._states: list[Mapping[str, Any]] = []

    def step(self) -> None:
        """A step begins, with its first batch."""
        self._states = [states.taken()]

    def batch(self) -> None:
        """A further batch of the step begins."""
        self._states.append(states.taken())

    def wholes(self, around: Surroundings) -> tuple[Whole, ...]:
        """Return the batches of the step; none where they are not those that were begun."""
        batches, begun = around.batches, self._states
        if len(batches) != len(begun) or not all(isinstance(b, Mapping) for b in batches):
            return ()
        last = len(batches) - 1
        return tuple(
            Whole(
                own=self._own,
                inputs=dict(batch),
                items=around.items,
                random=random,
                loss=around.loss if number == last else None,
                parts=len(batches),
            )
            for number, (batch, random) in enumerate(zip(batches, begun, strict=True))
        )

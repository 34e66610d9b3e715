"""
Whether an update would spoil the weights: one look at all the gradients, before it is made.

All gradients and the losses are added up, on a GPU the norms of the gradients, which one kernel
computes: a value that is not finite survives any sum, so that one number tells. A sum may overflow by itself; where it is not finite, and one may
wait for the device, each gradient is looked at for real. `benchmarks/recorder.py` says what it
takes of a step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Judgement:
    """
    What was found before an update.

    `gradients` are the parameters whose gradient holds NaN or Inf. After clipping by a norm that
    is NaN, that is every parameter: then it tells nothing of the origin.
    """

    losses: tuple[float | None, ...]
    gradients: tuple[str, ...]
    weights: tuple[str, ...]
    parameters: int

    @property
    def finite(self) -> bool:
        """Whether nothing was found."""
        return not self.gradients and not self.weights and all(map(_finite, self.losses))


def suspicion(parameters: Iterable[Any], losses: Sequence[Any]) -> Any:
    """
    Return a scalar tensor that is finite if all gradients and losses are; None without any.

    It stays on the device: reading it is what waits for the device.
    """
    import torch

    values = [gradient for p in parameters if (gradient := _values(p.grad)) is not None]
    sums = []
    by_device: dict[Any, list[Any]] = {}
    for gradient in values:
        by_device.setdefault(gradient.device, []).append(gradient)
    for device, group in by_device.items():
        if device.type == "cpu":  # each is a pass over memory, and a norm takes a third longer
            each = [_sum(gradient) for gradient in group]
        else:
            each = torch._foreach_norm(group, 2, dtype=torch.float32)  # noqa: SLF001 - one kernel for all
        sums.append(torch.stack(list(each)).sum())
    sums += [loss.detach().float().sum() for loss in losses if loss is not None]
    if not sums:
        return None
    home = sums[0].device
    return torch.stack([s.to(home) for s in sums]).sum()


def _sum(gradient: Any) -> Any:
    import torch

    values = torch.view_as_real(gradient) if gradient.is_complex() else gradient
    half = values.dtype in {torch.float16, torch.bfloat16}  # their sum may well be infinite
    return values.sum(dtype=torch.float32 if half else None).float()


def confirm(model: Any, losses: Sequence[Any]) -> Judgement:
    """Look at each gradient, weight and loss: what the sum could not say."""
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    return Judgement(
        tuple(None if loss is None else float(loss.float().sum()) for loss in losses),
        tuple(name for name, p in named if not whole(_values(p.grad))),
        tuple(name for name, p in model.named_parameters() if not whole(p.detach())),
        len(named),
    )


def whole(tensor: Any) -> bool:
    """Whether all values of a tensor are finite; None and integers are."""
    if tensor is None or not (tensor.is_floating_point() or tensor.is_complex()):
        return True
    return bool(tensor.isfinite().all())


def _values(gradient: Any) -> Any:
    if gradient is None:
        return None
    return gradient.coalesce().values() if gradient.is_sparse else gradient.detach()


def _finite(value: float | None) -> bool:
    return value is None or abs(value) < float("inf")


def evidence(verdict: Judgement) -> Mapping[str, object]:
    """Return the figures of a verdict, plain enough for JSON."""
    return {
        "losses": [None if v is None else repr(v) for v in verdict.losses],
        "gradients": len(verdict.gradients),
        "first_gradients": list(verdict.gradients[:3]),
        "weights": list(verdict.weights[:3]),
        "parameters": verdict.parameters,
    }

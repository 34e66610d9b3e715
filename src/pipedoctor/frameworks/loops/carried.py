"""Whether gradients are cleared between two steps of an optimizer, told by the gradients alone."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any

MOST = 64
"""So many parameters of an optimizer are followed: the first and the last ones."""


@dataclass
class _Trail:
    """The gradient of one parameter since the last step: which tensor it is, in which version."""

    parameter: Any
    tensor: int
    version: int
    added: bool = False


class Carried:
    """
    Follows the gradients from one step to the next.

    Nothing tells that gradients were cleared, so the gradients are looked at: what a step has used
    is cleared if it is gone, zero, or was changed by anything but a backward pass.
    """

    def __init__(self) -> None:
        """Follow nothing before the first step."""
        self._trails: list[_Trail] = []
        self.known = False
        """Whether there was a step before."""

    def stepped(self, parameters: list[Any]) -> int:
        """Return for how many parameters the step has used what the one before it had used."""
        stale = sum(trail.added for trail in self._trails)
        chosen = parameters if len(parameters) <= MOST else [*parameters[:32], *parameters[-32:]]
        self._trails = [_Trail(p, *_state(p.grad)) for p in chosen if _followed(p.grad)]
        self.known = True
        return stale

    def before_backward(self) -> None:
        """Leave those whose gradient was cleared since."""
        self._trails = [trail for trail in self._trails if _still_there(trail)]
        # Zeros may be written without a trace (`p.grad.data.zero_()`).
        sizes = norms([trail.parameter.grad for trail in self._trails])
        self._trails = [t for t, size in zip(self._trails, sizes, strict=True) if size != 0]

    def after_backward(self) -> None:
        """Note to which gradients something was added."""
        for trail in self._trails:
            gradient = trail.parameter.grad
            if gradient is not None and _state(gradient) != (trail.tensor, trail.version):
                trail.added = True
                trail.tensor, trail.version = _state(gradient)


def norms(tensors: list[Any]) -> list[float]:
    """Return the norm of each tensor; the device is waited for only once."""
    import torch

    if not tensors:
        return []
    with torch.no_grad():
        values = [t.coalesce().values() if t.is_sparse else t for t in tensors]
        each = [torch.linalg.vector_norm(v.detach().float()).cpu() for v in values]
        sizes = [float(size) for size in torch.stack(each).tolist()]
        # What is beyond float32 when squared may itself be a number.
        return [
            size if isfinite(size) else float(torch.linalg.vector_norm(value.cpu().double()))
            for size, value in zip(sizes, values, strict=True)
        ]


def _followed(gradient: Any) -> bool:
    return gradient is not None and not gradient.is_sparse and gradient.numel() > 0


def _still_there(trail: _Trail) -> bool:
    gradient = trail.parameter.grad
    if gradient is None:
        return False
    tensor, version = _state(gradient)
    # Once something was added, clipping or scaling may change it and clears nothing.
    return tensor == trail.tensor and (trail.added or version == trail.version)


def _state(gradient: Any) -> tuple[int, int]:
    return id(gradient), gradient._version  # noqa: SLF001 - torch counts changes nowhere else

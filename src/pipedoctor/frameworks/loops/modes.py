"""Which layers of a module do something else in evaluation mode, and are in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def asleep(module: Any) -> tuple[str, ...]:
    """
    Return the kinds of layers that are in evaluation mode, in words; none if one is in training.

    Some layers of a model in each mode is what people set on purpose.
    """
    kinds = []
    for layer, kind in _layers(module):
        if layer.training:
            return ()
        kinds.append(kind)
    return tuple(dict.fromkeys(kinds))


def idle(module: Any) -> int:
    """Count the trained layers of batch normalisation that still have the statistics of the start."""
    import torch

    count = 0
    for layer, _ in _layers(module):
        seen = getattr(layer, "num_batches_tracked", None)
        if not isinstance(seen, torch.Tensor) or layer.running_mean is None:
            continue
        weight = layer.weight
        trained = weight is None or weight.requires_grad
        if trained and not int(seen) and not layer.running_mean.any():
            count += 1
    return count


def _layers(module: Any) -> Iterator[tuple[Any, str]]:
    """Yield the layers that the mode changes, each with its name."""
    import torch
    from torch.nn.modules.batchnorm import _NormBase
    from torch.nn.modules.dropout import _DropoutNd

    for layer in module.modules():
        if isinstance(layer, _DropoutNd):
            if layer.p > 0:
                yield layer, "dropout"
        elif isinstance(layer, _NormBase):
            if layer.track_running_stats:
                yield layer, "batch normalisation"
        elif (
            isinstance(layer, (torch.nn.RNNBase, torch.nn.MultiheadAttention))
            and layer.dropout > 0
        ):
            yield layer, "dropout"

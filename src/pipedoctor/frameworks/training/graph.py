"""The graph that a loss hangs on: the parameters at its ends, and those that nobody registered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

DEEPEST = 3
"""How many lists and mappings within each other are looked into for modules."""

DEAD = 0.9
"""The share of units from which on a layer counts as dead: of a new one, half are 0 for a row."""

LONGEST = 1000
"""A list longer than this holds data, not layers."""


def leaves(loss: Any) -> list[Any]:
    """Return the tensors that a backward pass would give a gradient, each once."""
    found: dict[int, Any] = {}
    seen = set()
    waiting = [loss.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        variable = getattr(node, "variable", None)
        if variable is not None:
            found[id(variable)] = variable
        waiting.extend(following for following, _ in node.next_functions)
    return list(found.values())


def unregistered(model: Any) -> dict[int, tuple[str, str]]:
    """
    Return the tensors that attributes of the model's modules hold without registering them.

    By identity, each with its name and that of the attribute: "layers[0].weight", "layers".
    """
    registered = {id(parameter) for parameter in model.parameters()}
    modules = {id(module) for module in model.modules()}
    found: dict[int, tuple[str, str]] = {}
    for path, module in model.named_modules():
        for attribute, value in vars(module).items():
            if attribute in {"_parameters", "_buffers", "_modules"}:
                continue
            name = f"{path}.{attribute}" if path else attribute
            for where, tensor in _tensors(value, name, modules, 0):
                if id(tensor) not in registered:
                    found.setdefault(id(tensor), (where, name))
    return found


def _tensors(value: Any, name: str, modules: set[int], depth: int) -> Iterator[tuple[str, Any]]:
    import torch

    if isinstance(value, torch.nn.Module):
        if id(value) not in modules:
            for inner, parameter in value.named_parameters():
                yield f"{name}.{inner}", parameter
    elif isinstance(value, torch.Tensor):
        if value.requires_grad and value.is_leaf:
            yield name, value
    elif depth < DEEPEST and isinstance(value, (list, tuple, Mapping)) and len(value) <= LONGEST:
        entries = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, held in entries:
            yield from _tensors(held, f"{name}[{key!r}]", modules, depth + 1)


def dead_units(loss: Any, names: Mapping[int, str]) -> dict[str, tuple[int, int]]:
    """
    Return the layers behind which most units of a ReLU are 0 for each row, and how many of how many.

    `names` are those of the parameters, by identity. A unit is a column of the last dimension, a
    channel where there are four.
    """
    found: dict[str, tuple[int, int]] = {}
    for node in _nodes(loss):
        result = getattr(node, "_saved_result", None) if "Relu" in node.name() else None
        if result is None or result.ndim < 2 or result.shape[0] < 2:
            continue
        channel = 1 if result.ndim == 4 else result.ndim - 1
        others = tuple(n for n in range(result.ndim) if n != channel)
        dead, units = int((result.detach() == 0).all(dim=others).sum()), result.shape[channel]
        layer = _layer_before(node, names)
        if layer and dead > DEAD * units:
            found.setdefault(layer, (dead, int(units)))
    return found


def broadcast(
    loss: Any, inputs: Mapping[str, Any]
) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """
    Return the shapes of answers and labels that a loss has made a square of; None if it has not.

    That happens to a column of answers, (rows, 1), and a line of labels, (rows,), or the other way
    round: their difference is (rows, rows). The answers are what needs a gradient.
    """
    lines = {
        tuple(value.shape)
        for name, value in inputs.items()
        if hasattr(value, "shape") and value.ndim in {1, 2} and value.shape[0] > 1
    }
    for node in _nodes(loss):
        if not node.name().startswith(("Sub", "MseLoss", "L1Loss", "SmoothL1", "Huber", "Expand")):
            continue
        square = _shape(node)
        before = [_shape(following) for following, _ in node.next_functions if following]
        if node.name().startswith(("MseLoss", "L1Loss", "SmoothL1", "Huber")):
            continue  # torch expands what goes in: that node is met by itself
        if len(square) != 2 or square[0] != square[1] or square[0] < 2 or len(before) != 1:
            continue
        rows, answer = square[0], before[0]
        for labels in ((rows,), (rows, 1)):
            if labels in lines and answer in {(rows, 1), (rows,)} and answer != labels:
                return answer, labels
    return None


def below_zero(model: Any, layer: str, forward: Callable[[], object]) -> bool:
    """
    Whether what a layer gives is below 0 somewhere, when the model is run by this.

    Zeros behind a ReLU are dead units then; where a layer gives nothing but 0, its input is lost.
    """
    found: list[bool] = []

    def keep(_module: Any, _inputs: Any, answer: Any) -> None:
        if hasattr(answer, "numel") and answer.numel():
            found.append(bool((answer < 0).any()))

    watch = model.get_submodule(layer).register_forward_hook(keep)
    try:
        forward()
    finally:
        watch.remove()
    return any(found)


def _nodes(loss: Any) -> Iterator[Any]:
    seen = set()
    waiting = [loss.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        yield node
        waiting.extend(following for following, _ in node.next_functions)


def _shape(node: Any) -> tuple[int, ...]:
    """Return the shape of what a node of the graph made, () where it is not told."""
    told = getattr(node, "_input_metadata", None)
    return tuple(told[0].shape) if told else ()


def _layer_before(node: Any, names: Mapping[int, str]) -> str:
    """Return the layer whose parameters come right before a node, the nearest first."""
    waiting, depth = [following for following, _ in node.next_functions], 0
    while waiting and depth < 6:
        for following in waiting:
            name = names.get(id(getattr(following, "variable", None)))
            if name is not None:
                return name.rpartition(".")[0]
        waiting = [n for f in waiting if f is not None for n, _ in f.next_functions]
        depth += 1
    return ""

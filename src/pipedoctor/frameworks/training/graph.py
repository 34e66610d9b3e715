"""The graph that a loss hangs on: the parameters at its ends, and those that nobody registered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

DEEPEST = 3
"""How many lists and mappings within each other are looked into for modules."""

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

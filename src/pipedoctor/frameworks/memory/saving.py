"""
What saving a checkpoint takes of the machine's memory while the training is on a GPU.

safetensors copies all tensors of a file to the CPU before it writes the first one, and keeps them
until it is done (`_flatten_as_ptr` in safetensors/torch.py); transformers begins a new file at 50
GB, before its fifth release at 5 GB (`max_shard_size` of save_pretrained). torch.save copies the
optimizer's states one storage at a time. What is on the CPU is written from where it is.
"""

from __future__ import annotations

from typing import Any

SHARD, OLD_SHARD = 50_000_000_000, 5_000_000_000


def needed(model: Any, major: int) -> int:
    """Return the bytes on the CPU while a model that is on a GPU is saved, by its shapes alone."""
    sizes = [p.numel() * p.element_size() for p in _saved(model)]
    limit = SHARD if major >= 5 else OLD_SHARD
    largest = held = 0
    for size in sizes:  # files are filled in this order
        held = size if held + size > limit else held + size
        largest = max(largest, held)
    return largest


def _saved(model: Any) -> list[Any]:
    """Return the parameters that a checkpoint has: of adapters, those alone."""
    every = list({id(p): p for p in model.parameters()}.values())
    return [p for p in every if p.requires_grad] if hasattr(model, "peft_config") else every

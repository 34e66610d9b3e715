"""
Which rows of the data set a batch was made of.

The lists of indices that the loader's sampler yields are kept as they pass by. A loader works
ahead, with or without workers, so the list of a batch is not simply the last one: it is the one
whose rows, collated again, give that very batch.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from pipedoctor.frameworks.restoring.undisturbed import undisturbed

KEPT = 256
"""So many lists are kept: more than any loader works ahead (workers x prefetch_factor)."""


class Indices:
    """A batch sampler that passes on what another yields, and keeps the last of it."""

    def __init__(self, loader: Any) -> None:
        """Stand in for the sampler of a loader; `stop` puts it back."""
        self._loader = _innermost(loader)
        self._sampler: Any = getattr(self._loader, "batch_sampler", None)
        self.kept: deque[list[int]] = deque(maxlen=KEPT)
        if self._sampler is not None:
            # DataLoader forbids setting it; nothing but its own iterators reads it.
            vars(self._loader)["batch_sampler"] = self

    def __iter__(self) -> Iterator[Any]:
        """Yield what the sampler yields."""
        for indices in self._sampler:
            if isinstance(indices, (list, tuple)):
                self.kept.append([int(index) for index in indices])
            yield indices

    def __len__(self) -> int:
        """Return the number of batches."""
        return len(self._sampler)

    def __getattr__(self, name: str) -> Any:
        """Answer for the sampler."""
        return getattr(self._sampler, name)

    def stop(self) -> None:
        """Put the loader's own sampler back."""
        if self._sampler is not None and vars(self._loader).get("batch_sampler") is self:
            vars(self._loader)["batch_sampler"] = self._sampler

    def of(self, batch: Mapping[str, Any]) -> list[int] | None:
        """Return the rows that a batch was made of, None where none of the lists gives it."""
        data, collate = self._loader.dataset, self._loader.collate_fn
        size = max((len(t) for t in batch.values() if getattr(t, "ndim", 0)), default=0)
        for indices in reversed(self.kept):
            if len(indices) != size:
                continue
            with undisturbed(data, collate):
                try:
                    again = collate(_rows(data, indices))
                except Exception:  # noqa: BLE001 - the user's code; then the rows are not known
                    return None
            if _same(again, batch):
                return indices
        return None


def _innermost(loader: Any) -> Any:
    """Return the loader of torch that accelerate's wrappers hold."""
    while "base_dataloader" in vars(loader):
        loader = vars(loader)["base_dataloader"]
    return loader


def _rows(data: Any, indices: list[int]) -> list[Any]:
    fetch = getattr(data, "__getitems__", None)
    return list(fetch(indices)) if fetch is not None else [data[index] for index in indices]


def _same(made: Any, batch: Mapping[str, Any]) -> bool:
    """Whether the tensors that both have are equal, and there is one at least."""
    import torch

    if not isinstance(made, Mapping):
        return False
    shared = [name for name in batch if isinstance(made.get(name), torch.Tensor)]
    return bool(shared) and all(_equal(made[name], batch[name]) for name in shared)


def _equal(one: Any, other: Any) -> bool:
    import torch

    if one.shape != other.shape:
        return False
    other = other.to(one.device, one.dtype)
    equal = one == other
    if one.is_floating_point():
        equal |= one.isnan() & other.isnan()
    return bool(torch.all(equal))

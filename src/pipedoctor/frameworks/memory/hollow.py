"""Hollow models: copies whose tensors have shapes and types, but no values and no memory."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

from pipedoctor.fact import Unavailable


@contextmanager
def without_values(mode: Any = None) -> Iterator[Any]:
    """Have tensors that are made meanwhile hold no values; those of one mode go together."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    with mode or FakeTensorMode(allow_non_fake_inputs=True) as entered:
        yield entered


def hollow(model: Any, device: str = "cpu") -> Any:
    """
    Return a hollow copy of a model, of whatever device; to be called within `without_values`.

    Outside of it, the device must be "meta". Tied parameters stay tied. The model itself is not
    touched.

    Raises:
        Unavailable: It is quantised, or can't be copied.

    """
    import torch

    memo: dict[int, Any] = {}
    for tensor in chain(model.parameters(), model.buffers()):
        if id(tensor) in memo:
            continue
        if _quantised(tensor):
            raise Unavailable(
                f"the model is quantised (it has parameters of type {type(tensor).__name__}, "
                f"{str(tensor.dtype).removeprefix('torch.')}); what its kernels keep is not known"
            )
        made = torch.empty_strided(
            tensor.shape, tensor.stride(), dtype=tensor.dtype, device=device
        )
        if isinstance(tensor, torch.nn.Parameter):
            made = torch.nn.Parameter(made, requires_grad=tensor.requires_grad)
        memo[id(tensor)] = made
    try:
        return copy.deepcopy(model, memo)
    except Exception as error:  # noqa: BLE001 - the user's own modules may raise anything
        raise Unavailable(
            f"the model can't be copied without its weights ({type(error).__name__}: {error})"
        ) from None


def _quantised(tensor: Any) -> bool:
    import torch

    integers = isinstance(tensor, torch.nn.Parameter) and not (
        tensor.is_floating_point() or tensor.is_complex()
    )
    return integers or hasattr(tensor, "quant_state") or tensor.is_quantized

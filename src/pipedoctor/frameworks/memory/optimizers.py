"""What an optimizer remembers, and needs while it steps, found by letting it step without values."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.frameworks.memory import ledger as books
from pipedoctor.frameworks.memory.ledger import Entry, Ledger
from pipedoctor.frameworks.memory.step import BLOCK

STEP = "optimizer step"

BITSANDBYTES = frozenset(
    [
        *("adamw_8bit", "adamw_bnb_8bit", "lion_8bit", "rmsprop_bnb_8bit", "rmsprop_bnb"),
        *("paged_adamw_8bit", "paged_lion_8bit", "paged_adamw_32bit", "paged_adamw"),
        *("lion_32bit", "paged_lion_32bit", "rmsprop_bnb_32bit"),
    ]
)
SMALLEST_8BIT = 4096
"""bitsandbytes keeps the state of tensors with fewer elements in float32."""
BLOCK_8BIT = 256
"""It keeps a scale in float32 for so many elements."""


ONE_BY_ONE = frozenset({"adafactor"})
"""These go from parameter to parameter: what a step needs depends on two of them at a time."""


@dataclass(frozen=True)
class Stepped:
    """The bytes that an optimizer's states take, and the most that is needed besides in a step."""

    name: str
    states: int
    temporary: int
    entries: tuple[Entry, ...] = ()
    """What the temporary bytes are."""
    by_formula: bool = False
    gradients: int = 0


def known(name: str) -> bool:
    """Whether the states of an optimizer of this name can be told."""
    return name in _MADE or name in BITSANDBYTES


def named(name: str, parameters: Sequence[Any], *, gpu: bool) -> Stepped:
    """
    Return what the optimizer takes that `optim` names, for hollow parameters.

    Raises:
        Unavailable: Its states are not known.

    """
    if name in BITSANDBYTES:
        return _of_bitsandbytes(name, parameters)
    if name not in _MADE:
        from transformers.training_args import OptimizerNames

        if name not in {one.value for one in OptimizerNames}:
            raise Unavailable(f"transformers knows no optimizer called {name}")
        raise Unavailable(f"how much the optimizer {name} remembers is not known")
    if name in ONE_BY_ONE:
        return _one_by_one(name, parameters, gpu=gpu)
    return _stepped(name, lambda: _MADE[name](parameters, gpu), parameters, gpu=gpu)


def made(name: str, parameters: Sequence[Any], *, gpu: bool) -> Any:
    """
    Return the optimizer that `optim` names, a real one.

    Raises:
        Unavailable: It is not known how it is made.

    """
    if name not in _MADE:
        raise Unavailable(f"the optimizer {name} is not made here")
    return _MADE[name](parameters, gpu)


def twin(real: Any, parameters: Sequence[Any]) -> Any:
    """Return an optimizer of the kind and the figures of a real one, for other parameters."""
    taken = inspect.signature(type(real)).parameters
    words = {key: held for key, held in real.defaults.items() if key in taken and key != "params"}
    return type(real)(parameters, **words)


def like(real: Any, parameters: Sequence[Any], *, gpu: bool) -> Stepped:
    """Return what an optimizer of the kind of a real one takes."""
    real = getattr(real, "optimizer", real)
    name = type(real).__name__
    taken = inspect.signature(type(real)).parameters
    words = {
        key: value for key, value in real.defaults.items() if key in taken and key != "params"
    }
    if gpu and words.get("foreach", 0) is None and not words.get("fused"):
        words["foreach"] = True  # what torch chooses on a GPU
    try:
        return _stepped(name, lambda: type(real)(parameters, **words), parameters, gpu=gpu)
    except Exception as error:  # noqa: BLE001 - an optimizer of the user's may raise anything
        raise Unavailable(
            f"a step of {name} can't be gone through without values ({type(error).__name__})"
        ) from None


def _one_by_one(name: str, parameters: Sequence[Any], *, gpu: bool) -> Stepped:
    """
    Return what an optimizer takes that goes from parameter to parameter.

    Alike ones take alike, so one of each kind tells what it has. What is left of one when the next
    is begun tells a pair of each two kinds that follow each other.
    """
    kinds = [(tuple(p.shape), p.stride(), p.dtype) for p in parameters]
    single = dict(zip(kinds, parameters, strict=True))
    pairs = dict(zip(pairwise(kinds), pairwise(parameters), strict=True))

    def alone(*those: Any) -> Stepped:
        return _stepped(name, lambda: _MADE[name](those, gpu), those, gpu=gpu, steps=2)

    each = {kind: alone(one) for kind, one in single.items()}
    tried = [*each.values(), *(alone(*two) for two in pairs.values())]
    widest = max(tried, key=lambda one: one.temporary)
    return replace(
        widest,
        states=sum(each[kind].states for kind in kinds),
        gradients=sum(each[kind].gradients for kind in kinds),
    )


def _stepped(
    name: str, make: Callable[[], Any], parameters: Sequence[Any], *, gpu: bool, steps: int = 1
) -> Stepped:
    import torch

    book = Ledger(BLOCK if gpu else 1)
    for parameter in parameters:
        book.hold(parameter, books.WEIGHTS, "")
        parameter.grad = torch.empty_like(parameter)
        book.hold(parameter.grad, books.GRADIENTS, "")
    before = book.live
    gradients = before // 2  # each is as large as what it is of
    with torch.no_grad(), book:
        optimizer = make()  # some make their states at once
        with book.phase(STEP):
            for _ in range(steps):
                optimizer.step()
    held = [
        value
        for state in optimizer.state.values()
        for value in state.values()
        if isinstance(value, torch.Tensor)
    ]
    states = book.numbers_of(held)
    size = sum(book.entries[number].size for number in states)
    at_peak = [
        book.entries[number]
        for number in book.at_peak(STEP)
        if book.entries[number].kind == books.MADE and number not in states
    ]
    for parameter in parameters:
        parameter.grad = None
    return Stepped(
        name, size, max(0, book.peak(STEP) - before - size), tuple(at_peak), gradients=gradients
    )


def _of_bitsandbytes(name: str, parameters: Sequence[Any]) -> Stepped:
    """Return the states of an optimizer of bitsandbytes, by formula; paged ones may go to the CPU."""
    moments = 2 if "adamw" in name else 1
    size = 0.0
    for parameter in parameters:
        count = parameter.numel()
        whole = count < SMALLEST_8BIT or "8bit" not in name
        each = 4 if whole else 1 + 4 / BLOCK_8BIT
        size += moments * each * count
    gradients = sum(p.numel() * p.element_size() for p in parameters)
    return Stepped(name, int(size), 0, by_formula=True, gradients=gradients)


def _adamw(parameters: Sequence[Any], gpu: bool) -> Any:
    import torch

    return torch.optim.AdamW(parameters, foreach=gpu)


def _fused(parameters: Sequence[Any], gpu: bool) -> Any:
    import torch

    del gpu
    return torch.optim.AdamW(parameters, fused=True)


def _sgd(parameters: Sequence[Any], gpu: bool) -> Any:
    import torch

    return torch.optim.SGD(parameters, lr=1e-3, foreach=gpu)


def _adafactor(parameters: Sequence[Any], gpu: bool) -> Any:
    from transformers.optimization import Adafactor

    del gpu
    return Adafactor(parameters, lr=1e-3, scale_parameter=False, relative_step=False)


def _adagrad(parameters: Sequence[Any], gpu: bool) -> Any:
    import torch

    return torch.optim.Adagrad(parameters, foreach=gpu)


def _rmsprop(parameters: Sequence[Any], gpu: bool) -> Any:
    import torch

    return torch.optim.RMSprop(parameters, foreach=gpu)


_MADE: dict[str, Callable[[Sequence[Any], bool], Any]] = {
    "adamw_torch": _adamw,
    "adamw_hf": _adamw,
    "adamw_torch_fused": _fused,
    "adamw_apex_fused": _fused,
    "sgd": _sgd,
    "adafactor": _adafactor,
    "adagrad": _adagrad,
    "rmsprop": _rmsprop,
}
"""How `optim` has each of them made."""

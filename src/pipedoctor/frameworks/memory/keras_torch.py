"""A training step of Keras on torch: it is run with tensors that have no values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import replace
from typing import Any

from pipedoctor.frameworks.fitting.untouched import variables
from pipedoctor.frameworks.memory import ledger as books
from pipedoctor.frameworks.memory.hollow import without_values
from pipedoctor.frameworks.memory.keras_frames import handed
from pipedoctor.frameworks.memory.ledger import Ledger
from pipedoctor.frameworks.memory.optimizers import STEP
from pipedoctor.frameworks.memory.scene import telling
from pipedoctor.frameworks.memory.step import (
    ACTIVATIONS,
    BACKWARD,
    BLOCK,
    FORWARD,
    TEMPORARY,
    Pass,
)


@contextmanager
def hollowed(model: Any, more: list[Any]) -> Iterator[None]:
    """Have the variables of a model hold tensors without values meanwhile."""
    import torch

    held = [*variables(model), *more]
    before = [(variable, variable._value) for variable in held]  # noqa: SLF001 - there is no public way to hand a variable a tensor of another kind
    try:
        for variable, value in before:
            made = torch.empty(value.shape, dtype=value.dtype)
            trained = value.requires_grad
            variable._value = torch.nn.Parameter(made, requires_grad=trained)  # noqa: SLF001 - as above
        yield
    finally:
        for variable, value in before:
            variable._value = value  # noqa: SLF001 - as above


def traced(model: Any, found: dict[str, Any], frame: Any, rows: int, *, gpu: bool) -> Pass:
    """
    Return what a step of a model takes, whose optimizers leave their gradients in `found`.

    Raises:
        Untraceable: The model looks at values.

    """
    import torch

    kernels: Any = nullcontext()
    if gpu:
        from pipedoctor.frameworks.memory.kernels import GpuKernels

        kernels = GpuKernels()
    book = Ledger(BLOCK if gpu else 1)
    after: set[int] = set()
    with ExitStack() as stack:
        for context in (without_values(), telling(), hollowed(model, [])):
            stack.enter_context(context)
        batch = frame.made(lambda shape, dtype: _empty(torch, shape, dtype), rows)
        for variable in variables(model):
            book.hold(variable._value, books.WEIGHTS, "")  # noqa: SLF001 - see above
        fixed = book.live
        for name, leaf in _leaves(batch):
            book.hold(leaf, books.INPUTS, name)
        stack.enter_context(kernels)
        stack.enter_context(book)
        stack.enter_context(book.within(model))
        stack.enter_context(_phased(book, after))
        found.clear()
        with book.phase(FORWARD):
            model.train_step(handed(*batch))
        moment = max((FORWARD, BACKWARD), key=lambda name: _peak(book, name))
        gradients = book.numbers_of(g for g in found.values() if g is not None)
        entries = [
            replace(book.entries[n], kind=_kind(book.entries[n], n, gradients, after))
            for n in book.at_peak(moment)
            if book.entries[n].kind != books.WEIGHTS
        ]
        found.clear()
    parts: dict[str, int] = {}
    for entry in entries:
        parts[entry.kind] = parts.get(entry.kind, 0) + entry.size
    return Pass(
        peak=_peak(book, moment) - fixed,
        moment=moment,
        parts=parts,
        entries=[entry for entry in entries if entry.kind in {ACTIVATIONS, TEMPORARY}],
        storages=len(book.entries),
    )


def updated(model: Any, optimizer: Any, *, gpu: bool) -> int:
    """Return what an update needs besides weights, gradients and states, or 0 if it can't be run."""
    import torch

    trained = list(model.trainable_variables)
    book = Ledger(BLOCK if gpu else 1)
    with without_values(), telling(), hollowed(model, []):
        twin = type(optimizer).from_config(optimizer.get_config())
        twin.build(trained)
        grads = [torch.empty_like(variable._value) for variable in trained]  # noqa: SLF001 - see above
        for held in (*variables(model), *twin.variables):
            book.hold(held._value, books.STATES, "")  # noqa: SLF001 - see above
        for grad in grads:
            book.hold(grad, books.GRADIENTS, "")
        before = book.live
        with torch.no_grad(), book, book.phase(STEP):
            twin.apply(grads, trained)
        return max(0, book.peak(STEP) - before)


@contextmanager
def _phased(book: Ledger, after: set[int]) -> Iterator[None]:
    """Have the book name what comes from the loss's backward() on."""
    import torch

    usual = torch.autograd.backward

    def backward(*words: Any, **keywords: Any) -> Any:
        after.update(book.now())
        with book.phase(BACKWARD):
            return usual(*words, **keywords)

    torch.autograd.backward = backward
    try:
        yield
    finally:
        torch.autograd.backward = usual


def _peak(book: Ledger, phase: str) -> int:
    try:
        return book.peak(phase)
    except KeyError:  # an own training step may have no backward pass
        return 0


def _kind(entry: Any, number: int, gradients: set[int], after: set[int]) -> str:
    if entry.kind != books.MADE:
        return str(entry.kind)
    if number in gradients:
        return books.GRADIENTS
    return ACTIVATIONS if number in after else TEMPORARY


def _leaves(batch: tuple[Any, ...]) -> list[tuple[str, Any]]:
    from pipedoctor.frameworks.fitting.library import named

    return named(list(batch), "")


def _empty(torch: Any, shape: tuple[int, ...], dtype: str) -> Any:
    return torch.empty(shape, dtype=getattr(torch, dtype))

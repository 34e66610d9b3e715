"""One training step of a hollow model, entered in a ledger: its peak, and what makes it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from pipedoctor.frameworks.memory import ledger as books
from pipedoctor.frameworks.memory.ledger import Entry, Ledger
from pipedoctor.probes.memory.laws import Moment

FORWARD, BACKWARD = "forward", "backward"
BLOCK = 512
"""The allocator of PyTorch for CUDA rounds up to so many bytes."""

CAST = "aten._to_copy"
"""The operation that changes a dtype."""

CASTS, ACTIVATIONS, LOGITS, TEMPORARY = "casts", "activations", "logits", "temporary"


@dataclass(frozen=True)
class Way:
    """
    How a step is run.

    `gpu`: with what the kernels of a GPU keep. `half`: the dtype of autocast, None for none.
    `accumulated`: with the gradients of an earlier batch in memory. `loss` computes the loss of
    a model and its inputs. `vocabulary`: the width of logits, where they are over one.
    """

    loss: Callable[[Any, Any], Any]
    gpu: bool = True
    half: Any = None
    accumulated: bool = False
    vocabulary: int = 0


@dataclass
class Pass:
    """What a pass forwards and backwards takes, without the states of an optimizer."""

    peak: int
    moment: str
    parts: dict[str, int]
    entries: list[Entry] = field(default_factory=list)
    """What is live at the peak besides weights, gradients, inputs; `kind` says what it is."""
    after_forward: int = 0
    moments: list[Moment] = field(default_factory=list)
    storages: int = 0
    """How many came and went: how long it takes to go through a pass."""


def run(model: Any, inputs: Mapping[str, Any], way: Way) -> Pass:
    """Run a hollow model forwards and backwards on hollow inputs."""
    import torch

    book = Ledger(BLOCK if way.gpu else 1)
    trained = [p for p in model.parameters() if p.requires_grad]
    for name, parameter in model.named_parameters():
        book.hold(parameter, books.WEIGHTS, name)
    for name, buffer in model.named_buffers():
        book.hold(buffer, books.BUFFERS, name)
    for parameter in trained:
        parameter.grad = torch.empty_like(parameter) if way.accumulated else None
        if way.accumulated:
            book.hold(parameter.grad, books.GRADIENTS, "")
    for name, value in inputs.items():
        if isinstance(value, torch.Tensor):
            book.hold(value, books.INPUTS, name)
    with ExitStack() as stack:
        if way.gpu:
            from pipedoctor.frameworks.memory.kernels import GpuKernels

            stack.enter_context(GpuKernels())
        stack.enter_context(book)
        stack.enter_context(book.within(model))
        with book.phase(FORWARD):
            loss = _loss(model, inputs, way)
        after = book.now()
        with book.phase(BACKWARD):
            torch.autograd.backward(
                loss
            )  # loss.backward() would hide what it runs from GpuKernels
        gradients = book.numbers_of(p.grad for p in trained if p.grad is not None)
    moment = max((FORWARD, BACKWARD), key=book.peak)
    shapes = _shapes(model)
    kinds = _Kinds(after, gradients, shapes, way, _coincide(inputs, shapes))
    made = [
        replace(book.entries[number], kind=kinds.of(book.entries[number], number))
        for number in book.at_peak(moment)
    ]
    growth = [kinds.growth(entry, number) for number, entry in enumerate(book.entries)]
    parts: dict[str, int] = {}
    for entry in made:
        parts[entry.kind] = parts.get(entry.kind, 0) + entry.size
    for parameter in trained:
        parameter.grad = None
    return Pass(
        peak=book.peak(moment),
        moment=moment,
        parts=parts,
        entries=[e for e in made if e.kind in {ACTIVATIONS, LOGITS, TEMPORARY, CASTS}],
        after_forward=sum(book.entries[number].size for number in after),
        moments=[Moment(a, b, c + d, d) for a, b, c, d in book.moments(growth)],
        storages=len(book.entries),
    )


def evaluated(model: Any, inputs: Mapping[str, Any], way: Way) -> tuple[int, int]:
    """
    Run a hollow model forwards alone, as an evaluation does.

    Return the peak, and what of it has the width of the vocabulary.
    """
    import torch

    book = Ledger(BLOCK if way.gpu else 1)
    for kind, those in (
        (books.WEIGHTS, model.parameters()),
        (books.BUFFERS, model.buffers()),
        (books.INPUTS, (one for one in inputs.values() if isinstance(one, torch.Tensor))),
    ):
        for one in those:
            book.hold(one, kind, "")
    with ExitStack() as stack:
        if way.gpu:
            from pipedoctor.frameworks.memory.kernels import GpuKernels

            stack.enter_context(GpuKernels())
        stack.enter_context(torch.no_grad())
        stack.enter_context(book)
        with book.phase(FORWARD):
            _loss(model, inputs, way)
    kinds = _Kinds(set(), set(), _shapes(model), way)
    there = book.at_peak(FORWARD)
    wide = (book.entries[n].size for n in there if kinds.of(book.entries[n], n) == LOGITS)
    return book.peak(FORWARD), sum(wide)


def _loss(model: Any, inputs: Mapping[str, Any], way: Way) -> Any:
    import torch

    casting: AbstractContextManager[Any] = nullcontext()
    if way.half is not None:
        casting = torch.autocast("cpu", dtype=way.half)
        casting = _Converted(model, casting)
    with casting:
        return way.loss(model, inputs)


class _Converted:
    """Autocast as accelerate has it: around the model's forward, whose output it makes float32."""

    def __init__(self, model: Any, casting: Any) -> None:
        self._model = model
        self._casting = casting

    def __enter__(self) -> None:
        forward = self._model.forward

        def converted(*words: Any, **keywords: Any) -> Any:
            with self._casting:
                answer = forward(*words, **keywords)
            return _in_float32(answer)

        self._model.__dict__["forward"] = converted

    def __exit__(self, *_error: object) -> None:
        del self._model.__dict__["forward"]


def _in_float32(value: Any) -> Any:
    """Return an answer with its half-precision tensors in float32; both are there meanwhile."""
    import torch

    if isinstance(value, torch.Tensor):
        return value.float() if value.dtype in {torch.float16, torch.bfloat16} else value
    if isinstance(value, Mapping):
        changed = {key: _in_float32(held) for key, held in value.items()}
        return type(value)(**changed) if not isinstance(value, dict) else type(value)(changed)
    if isinstance(value, (tuple, list)):
        return type(value)(_in_float32(held) for held in value)
    return value


def _shapes(model: Any) -> frozenset[tuple[int, ...]]:
    """Return the shapes of matrices among the parameters, and those turned around."""
    shapes = {tuple(p.shape) for p in model.parameters() if p.dim() > 1}
    return frozenset(shapes | {shape[::-1] for shape in shapes})


def _coincide(inputs: Mapping[str, Any], shapes: frozenset[tuple[int, ...]]) -> bool:
    """Return whether so many values as a batch has rows, or tokens, are a side of a matrix too."""
    sides = {side for shape in shapes for side in shape}
    found = {
        math.prod(value.shape[:count])
        for value in inputs.values()
        if hasattr(value, "shape")
        for count in (1, 2)
    }
    return bool(found & sides)


@dataclass(frozen=True)
class _Kinds:
    """What the entries of a pass were made for, as it turned out."""

    after_forward: set[int]
    gradients: set[int]
    shapes: frozenset[tuple[int, ...]]
    way: Way
    coincide: bool = False
    """Whether rows times length is as wide as a matrix: what layers return looks like weights then."""

    def of(self, entry: Entry, number: int) -> str:
        """Return what an entry is."""
        if entry.kind != books.MADE:
            return entry.kind
        if number in self.gradients:
            return books.GRADIENTS
        wide = self.way.vocabulary and entry.shape[-1:] == (self.way.vocabulary,)
        if wide and entry.shape not in self.shapes:
            return LOGITS
        halved = self.way.half is not None and entry.phase == FORWARD
        if halved and entry.shape in self.shapes:
            return CASTS
        return ACTIVATIONS if number in self.after_forward else TEMPORARY

    def growth(self, entry: Entry, number: int) -> int:
        """Return whether an entry is of any batch (0), a gradient (1), of this one (2), logits (3)."""
        if number in self.gradients or entry.kind == books.GRADIENTS:
            return 1
        if self.of(entry, number) == LOGITS:
            return 3
        fixed = entry.kind in {books.WEIGHTS, books.BUFFERS} or self._of_weights(entry)
        return 0 if fixed else 2

    def _of_weights(self, entry: Entry) -> bool:
        """Whether an entry has the shape of weights because it was made of them."""
        return entry.shape in self.shapes and (not self.coincide or entry.name == CAST)

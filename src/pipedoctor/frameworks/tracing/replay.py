"""One step, replayed from where it stood, with its operations looked at; and what reached its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from pipedoctor.facts.trace import BACKWARD, DATA, FORWARD, OPTIMIZER, WEIGHTS, Birth
from pipedoctor.frameworks.tracing import families
from pipedoctor.frameworks.tracing.lineage import Lineage
from pipedoctor.frameworks.tracing.values import NAN, kind

MOST_ROWS = 64
"""Batches of up to so many rows are replayed row by row where the operation mixes them."""

MOST_CAUSES = 3


@dataclass(frozen=True)
class Step:
    """
    How to compute the loss of a batch as the training does.

    `half` makes the context of mixed precision, `scale` is what the loss is multiplied by.
    """

    model: Any
    compute: Callable[[Any, Any], Any]
    half: Callable[[], Any]
    scale: float = 1.0

    def loss(self, inputs: Mapping[str, Any]) -> Any:
        """Return the loss of a batch."""
        with self.half():
            return self.compute(self.model, dict(inputs))

    @property
    def trained(self) -> list[Any]:
        """The parameters that a step changes."""
        return [p for p in self.model.parameters() if p.requires_grad]


@dataclass(frozen=True)
class Found:
    """What reached the end of a replayed step: the birth, what it was made from, the rows."""

    origin: Birth
    causes: tuple[Birth, ...]
    rows: tuple[int, ...] = ()


@dataclass(frozen=True)
class State:
    """Where a step starts from: random states and buffers; the weights are as they are."""

    random: Any
    cuda: Any
    python: Any
    numpy: Any
    buffers: Sequence[tuple[Any, Any]]

    @classmethod
    def of(cls, model: Any) -> State:
        """Note where things stand."""
        import random
        import sys

        import torch

        numpy = sys.modules.get("numpy")
        cuda = torch.cuda.is_available() and torch.cuda.is_initialized()
        return cls(
            torch.get_rng_state(),
            torch.cuda.get_rng_state_all() if cuda else None,
            random.getstate(),
            numpy.random.get_state() if numpy is not None else None,
            [(buffer, buffer.detach().clone()) for buffer in model.buffers()],
        )

    def put_back(self) -> None:
        """Go back there."""
        import random
        import sys

        import torch

        torch.set_rng_state(self.random)
        if self.cuda is not None:
            torch.cuda.set_rng_state_all(self.cuda)
        random.setstate(self.python)
        if self.numpy is not None:
            sys.modules["numpy"].random.set_state(self.numpy)
        with torch.no_grad():
            for buffer, copy in self.buffers:
                buffer.copy_(copy)


def replay(step: Step, inputs: Mapping[str, Any], state: State) -> Found | None:
    """
    Run a step forwards and, if its loss is finite, backwards; return what became not finite.

    Gradients are left where the backward pass puts them. None if all was finite this time.
    """
    state.put_back()
    size = batch_size(inputs)
    lineage = Lineage(step.model, size)
    lineage.came_with(dict(tensors(inputs)), DATA)
    lineage.came_with(dict(step.model.named_parameters()), WEIGHTS)
    lineage.came_with(dict(step.model.named_buffers()), WEIGHTS)
    clear(step.model)
    import torch

    with lineage.watching(), torch.enable_grad(), eager():
        loss = step.loss(inputs)
        ends = [loss.detach()]
        if not kind(ends[0]) and loss.requires_grad:
            lineage.phase = BACKWARD
            with _until_nan(step.trained, lineage):
                (loss * step.scale).backward()
            ends = [p.grad for p in step.trained if p.grad is not None]
    del loss
    found = chosen(lineage, ends)
    if found is not None and found.origin.when == WEIGHTS:
        return replace(found, rows=_using(step.model, found.origin, inputs))
    if found is None or found.rows or found.origin.when not in {FORWARD, BACKWARD}:
        return found
    if any(cause.when == WEIGHTS for cause in found.causes):
        return found
    alone = _alone(step, inputs, state, backwards=found.origin.when == BACKWARD)
    return Found(found.origin, found.causes, alone)


class _Enough(Exception):  # noqa: N818 - no error: what follows is only more of the same
    """NaN has come through to a gradient."""


@contextmanager
def _until_nan(trained: Sequence[Any], lineage: Lineage) -> Iterator[None]:
    """Break the backward pass off when the first gradient holds NaN."""

    def look(parameter: Any) -> None:
        if lineage.holds_nan(parameter.grad):
            raise _Enough

    hooks = [parameter.register_post_accumulate_grad_hook(look) for parameter in trained]
    try:
        yield
    except _Enough:
        pass
    finally:
        for hook in hooks:
            hook.remove()


def replay_update(step: Step, optimizer: Any) -> Found | None:
    """Run the optimizer's step on the gradients that are there; return what became not finite."""
    lineage = Lineage(step.model, 0)
    lineage.phase = OPTIMIZER
    lineage.came_with(dict(step.model.named_parameters()), WEIGHTS)
    with lineage.watching():
        optimizer.step()
    found = chosen(lineage, [p.detach() for p in step.trained])
    if found is None or found.origin.name:
        return found
    spoilt = (  # what the optimizer computes on its way has no name of its own
        name
        for name, p in step.model.named_parameters()
        if any(lineage.lines[n].birth == found.origin for n in lineage.ancestors([p.detach()]))
    )
    name = next(spoilt, "")
    return replace(found, origin=replace(found.origin, name=name, module=name.rpartition(".")[0]))


def chosen(lineage: Lineage, ends: Sequence[Any]) -> Found | None:
    """
    Return the birth that is to blame for what came through to the end.

    That is the first NaN; where there is none, the first infinity that was not meant to be.
    """
    numbers = lineage.ancestors(ends)
    lines = {number: lineage.lines[number] for number in numbers}
    nan = [number for number, line in lines.items() if line.what & NAN]
    meant = [number for number, line in lines.items() if not line.birth.intended]
    first = next(iter(nan or meant or numbers), None)
    if first is None:
        return None
    line = lines[first]
    made = line.birth.operation.removeprefix("aten.").removesuffix("_")
    causes = tuple(_weighing(lineage.lines[number].birth, made) for number in sorted(line.parents))
    found = Found(line.birth, _telling(causes))
    rows = next((b.rows for b in (*_unmeant(found.causes), line.birth) if b.rows), None)
    return Found(found.origin, found.causes, rows or ())


def _weighing(cause: Birth, operation: str) -> Birth:
    """Return a cause that multiplies what is not finite by it; no mask is used so."""
    unnamed = cause.when == FORWARD and not cause.operation
    if not unnamed or cause.what != "inf" or operation not in families.WEIGHING:
        return cause
    why, cure = families.WEIGHS_INFINITELY
    return replace(cause, intended=False, family="infinite-weight", why=why, cure=cure)


def _using(model: Any, origin: Birth, inputs: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the rows of a batch that use the bad rows of an embedding."""
    import torch

    module = dict(model.named_modules()).get(origin.module)
    ids = inputs.get("input_ids")
    if not isinstance(module, torch.nn.Embedding) or getattr(ids, "ndim", 0) != 2:
        return ()
    bad = (~module.weight.detach().isfinite()).any(1)
    return tuple(bad[ids].any(1).nonzero().flatten().tolist())


def batch_size(inputs: Mapping[str, Any]) -> int:
    """Return the number of rows of a batch: the first dimension that most of its tensors have."""
    from collections import Counter

    sizes = Counter(len(value) for _, value in tensors(inputs) if value.ndim)
    return sizes.most_common(1)[0][0] if sizes else 0


def tensors(inputs: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the tensors of a batch with their names."""
    for name, value in inputs.items():
        if hasattr(value, "untyped_storage"):
            yield str(name), value
        elif isinstance(value, dict):
            yield from ((f"{name}.{inner}", held) for inner, held in tensors(value))


def clear(model: Any) -> None:
    """Take the gradients away."""
    for parameter in model.parameters():
        parameter.grad = None


@contextmanager
def eager() -> Iterator[None]:
    """Have what torch.compile made run as it was written, so that there are operations to see."""
    import sys

    import torch

    if "torch._dynamo" not in sys.modules:  # nothing was compiled
        yield
        return
    with torch.compiler.set_stance("force_eager"):
        yield


def _telling(causes: tuple[Birth, ...]) -> tuple[Birth, ...]:
    """Return the causes that tell most: those not meant to be, then the first masks."""
    meant = [cause for cause in causes if cause.intended]
    unmeant = _unmeant(causes)
    kept = [*unmeant[:MOST_CAUSES], *meant[: max(0, MOST_CAUSES - len(unmeant))]]
    return tuple(cause for cause in causes if cause in kept)


def _unmeant(causes: Sequence[Birth]) -> list[Birth]:
    return [cause for cause in causes if not cause.intended]


def _alone(
    step: Step, inputs: Mapping[str, Any], state: State, *, backwards: bool
) -> tuple[int, ...]:
    """Return the rows with which the step is not finite even if they are the only one."""
    import torch

    size = batch_size(inputs)
    if not 1 < size <= MOST_ROWS:
        return tuple(range(size)) if size == 1 else ()
    guilty = []
    for row in range(size):
        state.put_back()
        clear(step.model)
        one = {
            name: value[row : row + 1]
            if getattr(value, "ndim", 0) and len(value) == size
            else value
            for name, value in inputs.items()
        }
        try:
            with torch.enable_grad(), eager():
                loss = step.loss(one)
                bad = bool(kind(loss.detach()))
                if backwards and not bad and loss.requires_grad:
                    (loss * step.scale).backward()
                    bad = any(kind(p.grad) for p in step.trained if p.grad is not None)
        except Exception:  # noqa: BLE001 - a model may refuse a batch of one; then rows stay unknown
            return ()
        if bad:
            guilty.append(row)
    return tuple(guilty)

"""What a loss was made of, read from its graph: nothing is computed, and nothing changed."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from pipedoctor.facts.loop import Term

MARK = "pipedoctor"
"""Under this name the graph's nodes that are a model's output hold the number of its call."""

MOST = 400
"""So many operations before the loss are looked at."""

NEAR = 8
"""A loss written by hand has no more operations than this after its difference."""

KINDS = {
    "NllLossBackward": "nll",
    "NllLoss2DBackward": "nll",
    "BinaryCrossEntropyBackward": "bce",
    "BinaryCrossEntropyWithLogitsBackward": "bce_with_logits",
    "MseLossBackward": "mse",
    "SmoothL1LossBackward": "smooth_l1",
    "HuberLossBackward": "huber",
}

_FORMS = frozenset(
    {
        "Alias",
        "AsStrided",
        "Clone",
        "Expand",
        "Index",
        "Permute",
        "ReshapeAlias",
        "Select",
        "Slice",
        "Squeeze",
        "T",
        "ToCopy",
        "Transpose",
        "UnsafeView",
        "Unsqueeze",
        "View",
    }
)
"""Operations that only change the form of what goes through them, or choose from it."""

_TURNED = frozenset({"Unsqueeze", "Transpose", "Permute", "T"})
"""Operations by which someone who wants all pairs says so."""

_NAMES = {
    "Addmm": "linear",
    "Mm": "linear",
    "Bmm": "linear",
    "Baddbmm": "linear",
    "Linear": "linear",
    "Convolution": "convolution",
    "LogSoftmax": "log_softmax",
    "LeakyRelu": "leaky_relu",
}

_ARITHMETIC = frozenset({"Sub", "Mul", "Div"})


@dataclass
class Region:
    """The terms of a loss, and the numbers of the models' calls that it came from."""

    terms: list[Term] = field(default_factory=list)
    calls: set[int] = field(default_factory=set)
    targets: list[tuple[str, Any]] = field(default_factory=list)
    """What the loss functions among the terms compare with, with their kinds."""


def mark(output: Any, number: int) -> None:
    """Note in the graph of what a model returned which of its calls that was."""
    for tensor in _held(output):
        if tensor.grad_fn is not None:
            tensor.grad_fn.metadata[MARK] = number


def read(loss: Any) -> Region:
    """
    Return what a loss was made of, as far as its graph tells.

    Its terms are what stands behind the models' outputs; of a loss that a model itself returns,
    it is looked into the model. The calls are looked for all the way.
    """
    region = Region()
    waiting = deque([(loss.grad_fn, 0, 0, True)])
    seen = {loss.grad_fn}
    while waiting and len(seen) < MOST:
        node, place, depth, outside = waiting.popleft()
        if node is None:
            continue
        number = node.metadata.get(MARK)
        if number is not None:
            region.calls.add(number)
            outside = outside and _shape(node, place) in {(), (1,)}
        if outside:
            terms = list(_terms(node, depth))
            region.terms += terms
            region.targets += [(one.kind, _saved(node, "target")) for one in terms]
        for following, output in node.next_functions:
            if following is not None and following not in seen:
                seen.add(following)
                waiting.append((following, output, depth + 1, outside))
    return region


def _held(output: Any, depth: int = 0) -> Iterator[Any]:
    """Yield the tensors in what a module returned."""
    if hasattr(output, "grad_fn"):
        yield output
    elif depth < 3:
        values = output.values() if hasattr(output, "values") else output
        if hasattr(output, "values") or isinstance(output, (list, tuple)):
            for value in values:
                yield from _held(value, depth + 1)


def _terms(node: Any, depth: int) -> Iterator[Term]:
    name = operation(node)
    kind = KINDS.get(f"{name}Backward")
    if kind is not None:
        yield _function(node, kind)
    elif name in _ARITHMETIC and depth <= NEAR:
        term = _difference(node, name)
        if term is not None:
            yield term


def _function(node: Any, kind: str) -> Term:
    """Return the term of a loss function of torch; it has kept what it was given."""
    prediction, target = _saved(node, "self"), _saved(node, "target")
    full = () if prediction is None else tuple(prediction.shape)
    fed, _ = node.next_functions[0]
    feeding = _feeding(fed)
    if kind == "nll" and feeding[:1] == ("log_softmax",):
        kind, feeding = "cross_entropy", feeding[1:]
    given, turned = _before_expansion(fed, full)
    goal = None if target is None else _unexpanded(target)
    # In more dimensions than a batch and its one output, all pairs may well be meant.
    meant = turned and len(full) > 2
    blown_up = goal is not None and not meant and _grew(full, given, goal)
    low, high = _extremes(node, kind, target)
    return Term(
        kind=kind,
        prediction=given,
        target=goal,
        fed_by=feeding,
        broadcast=full if blown_up else None,
        classes=full[1] if kind in {"nll", "cross_entropy"} and len(full) > 1 else None,
        low=low,
        high=high,
    )


def _difference(node: Any, name: str) -> Term | None:
    """Return the term of a column that meets a row, each number of one all of the other."""
    out = _shape(node, 0)
    if len(out) != 2 or out[0] != out[1] or out[0] < 2:
        return None
    shapes: list[tuple[int, ...]] = []
    feeding: tuple[str, ...] = ()
    for number, (following, place) in enumerate(node.next_functions[:2]):
        if following is None:
            other = None if name == "Sub" else _saved(node, ("self", "other")[number])
            if other is not None:
                shapes.append(tuple(other.shape))
            continue
        given, turned = _before_expansion(following, _shape(following, place))
        if turned or operation(following) in _TURNED:
            return None
        shapes.append(given)
        feeding = feeding or _feeding(following)
    column, row = (out[0], 1), (out[0],)
    if not shapes or any(shape not in {column, row} for shape in shapes):
        return None
    if len(shapes) == 2 and shapes[0] == shapes[1]:
        return None
    # What is not seen of a difference is a constant; of this size it is the other of the two.
    other_one = shapes[1] if len(shapes) == 2 else (row if shapes[0] == column else column)
    return Term("difference", shapes[0], other_one, feeding, broadcast=out)


def _before_expansion(node: Any, full: tuple[int, ...]) -> tuple[Any, bool]:
    """Return the shape that something had before it was blown up, and if that was asked for."""
    if node is None or operation(node) != "Expand":
        return full, False
    before = tuple(int(n) for n in getattr(node, "_saved_self_sym_sizes", ()) or full)
    inner = node.next_functions[0][0]
    return before, inner is not None and operation(inner) in _TURNED


def _unexpanded(tensor: Any) -> tuple[int, ...]:
    """Return the shape that a tensor had before it was blown up: what is repeated takes no room."""
    shape = [1 if not step else n for n, step in zip(tensor.shape, tensor.stride(), strict=True)]
    while shape and shape[0] == 1 and tensor.shape[tensor.ndim - len(shape)] != 1:
        shape.pop(0)
    return tuple(shape)


def _grew(full: tuple[int, ...], one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return _size(full) > _size(one) and _size(full) > _size(other) and min(full, default=0) > 1


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for length in shape:
        size *= length
    return size


def _extremes(node: Any, kind: str, target: Any) -> tuple[float | None, float | None]:
    """Return the smallest and the largest target, without labels that are left out."""
    if target is None or not target.numel():
        return None, None
    if kind in {"nll", "cross_entropy"}:
        ignored = getattr(node, "_saved_ignore_index", -100)
        ignored = ignored - (1 << 64) if ignored >= 1 << 63 else ignored
        target = target[target != ignored]
        if not target.numel():
            return None, None
    low, high = target.aminmax()
    return float(low), float(high)


def _feeding(node: Any) -> tuple[str, ...]:
    """Return the operations that made something, the last first; those of form are left out."""
    names: list[str] = []
    while node is not None and len(names) < 2:
        name = operation(node)
        if name not in _FORMS:
            names.append(_NAMES.get(name, re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()))
        if name not in _FORMS and names[-1] in {"linear", "convolution"}:
            break
        node = node.next_functions[0][0] if node.next_functions else None
    return tuple(names)


def _saved(node: Any, name: str) -> Any:
    with suppress(RuntimeError):  # it was changed in place since, or freed
        return getattr(node, f"_saved_{name}", None)
    return None


def _shape(node: Any, place: int) -> tuple[int, ...]:
    """Return the shape of what an operation gave."""
    known = getattr(node, "_input_metadata", None)  # of a Function of the user's own there is none
    if not known or place >= len(known):
        return ()
    return tuple(int(n) for n in known[place].shape)


def operation(node: Any) -> str:
    """Return the name of the operation that a node derives: NllLossBackward0 is NllLoss."""
    return str(node.name()).rpartition(":")[2].rpartition("Backward")[0]

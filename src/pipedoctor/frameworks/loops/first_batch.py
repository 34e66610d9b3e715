"""The first batch of a loop, and its loss as a function that can be called again."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from math import prod
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.frameworks.loops import lossgraph
from pipedoctor.frameworks.tracing.replay import batch_size

NEAR = 1e-5
"""How far a gradient that is computed again from the same answers may be off, relative to it."""

FORMS = frozenset(
    {"View", "UnsafeView", "ReshapeAlias", "Squeeze", "Unsqueeze", "Alias", "ToCopy"}
)
"""Operations between a model's answer and its loss that a reshape makes again."""

TARGET = "labels of the loop"
"""The name under which the target of the loss stands in the batch."""


@dataclass(eq=False)
class Call:
    """A call of a model: what it was given by name, and what it answered."""

    module: Any
    given: dict[str, Any]
    answer: Any
    half: bool = False
    """Whether it was made under autocast."""


@dataclass(eq=False)
class FirstBatch:
    """
    All that it takes to train on the first batch again, from where the loop began.

    `loss` takes the model's logits and the target; None where the model computes it itself.
    """

    module: Any
    arrays: dict[str, Any]
    rows: int
    loss: Callable[[Any, Any], Any] | None
    weights: list[tuple[Any, Any]] = field(default_factory=list)
    later: list[dict[str, Any]] = field(default_factory=list)
    """The batches that followed, as far as they were wanted, and of the same kind."""

    @property
    def bytes(self) -> int:
        """How much memory its arrays take."""
        held = [v for v in self.arrays.values() if hasattr(v, "element_size")]
        return sum(v.numel() * v.element_size() for v in held)

    def begin_anew(self) -> None:
        """Put the weights back to where they were before the first step."""
        import torch

        with torch.no_grad():
            for tensor, copy in self.weights:
                tensor.copy_(copy)


def kept(calls: list[Call], losses: list[Any]) -> FirstBatch:
    """
    Return the first batch, from the calls that were made before the first loss is differentiated.

    Raises:
        Unavailable: The loss can't be computed outside of the loop; the reason is a sentence.

    """
    return _with_weights(_read(calls, losses))


def _read(calls: list[Call], losses: list[Any]) -> FirstBatch:
    if len(calls) != 1 or len(losses) != 1:
        raise Unavailable(
            f"the loop calls {len(calls)} models for its first loss"
            if len(calls) != 1
            else "the loop differentiates several losses at once"
        )
    call, loss = calls[0], losses[0]
    if call.half:
        raise Unavailable("the loop computes its loss under an autocast of its own")
    if getattr(loss, "grad_fn", None) is None or loss.numel() != 1:
        raise Unavailable("the loss of the loop hangs on no model")
    given = _named(call)
    rows = batch_size(given)
    by_row = [n for n, v in given.items() if getattr(v, "ndim", 0) and len(v) == rows]
    if rows < 2 or not by_row:
        raise Unavailable("the batch does not have one place for each row")
    answer = _own(call.answer, loss)
    if answer:
        return FirstBatch(call.module, given, rows, None)
    target, compute = _function(call.answer, loss)
    if not target.ndim or len(target) != rows:
        raise Unavailable("the target of the loss does not have one place for each row")
    return FirstBatch(call.module, {**given, TARGET: target}, rows, compute)


def follows(first: FirstBatch, calls: list[Call], losses: list[Any]) -> dict[str, Any]:
    """
    Return a later batch of the same loop, which the loss of the first one can be computed for.

    Raises:
        Unavailable: It is of another kind.

    """
    later = _read(calls, losses)
    same = later.module is first.module and later.arrays.keys() == first.arrays.keys()
    if not same or later.rows != first.rows or (later.loss is None) is not (first.loss is None):
        raise Unavailable("the batch is of another kind than the first one")
    return later.arrays


def _named(call: Call) -> dict[str, Any]:
    """Return what a model was called with by the names of its arguments, as copies."""
    positional = sum(name.startswith("argument ") for name in call.given)
    named = {n: v for n, v in call.given.items() if not n.startswith("argument ")}
    parameters = [
        name
        for name, one in inspect.signature(call.module.forward).parameters.items()
        if one.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    ]
    if positional > len(parameters):
        raise Unavailable("forward() of the model does not name what it is called with")
    for place in range(positional):
        named[parameters[place]] = call.given[f"argument {place + 1}"]
    return {n: v.detach().clone() if hasattr(v, "detach") else v for n, v in named.items()}


def _with_weights(first: FirstBatch) -> FirstBatch:
    module = first.module
    held = (*module.parameters(), *module.buffers())
    first.weights = [(tensor, tensor.detach().clone()) for tensor in held]
    return first


def _own(answer: Any, loss: Any) -> bool:
    """Whether the loss is one that the model has returned, or a share of it."""
    from pipedoctor.frameworks.torch import outputs_of

    own = outputs_of(answer).get("loss")
    if own is None or getattr(own, "grad_fn", None) is None:
        return False
    return own is loss or own.grad_fn in {loss.grad_fn, *_below(loss.grad_fn)}


def _below(node: Any) -> Iterator[Any]:
    """Yield what stands directly below a division, a multiplication or a mean."""
    if lossgraph.operation(node) in {"Div", "Mul", "Mean"}:
        yield from (following for following, _ in node.next_functions if following is not None)


def _function(answer: Any, loss: Any) -> tuple[Any, Callable[[Any, Any], Any]]:
    """
    Return the target of the loss, and a function of logits and target that gives the same loss.

    It is trusted only if it does so for what the model has just answered.
    """
    from pipedoctor.frameworks.torch import outputs_of

    outputs = outputs_of(answer)
    logits = outputs.get("logits", outputs.get("output_1"))
    for node in (loss.grad_fn, *_below(loss.grad_fn)):
        target = getattr(node, "_saved_target", None)
        if target is None or not target.ndim or logits is None:
            continue
        compute = _computed(node, logits)
        target = target.detach().clone()
        factor = (
            None if compute is None else _factor(loss, logits, partial(compute, wanted=target))
        )
        if compute is not None and factor is not None:
            return target, partial(_times, factor, compute)
    raise Unavailable(
        "the loss of the loop is more than one loss function of torch, at its defaults, of what the "
        "model answers: outside of the loop it can't be computed again"
    )


def _computed(node: Any, logits: Any) -> Callable[..., Any] | None:
    """Return the loss function of a node, for answers of the model; None if it is none we know."""
    from torch.nn import functional

    known = {
        "NllLoss": functional.nll_loss,
        "NllLoss2D": functional.nll_loss,
        "MseLoss": functional.mse_loss,
        "BinaryCrossEntropyWithLogits": functional.binary_cross_entropy_with_logits,
        "SmoothL1Loss": functional.smooth_l1_loss,
        "HuberLoss": functional.huber_loss,
    }
    function = known.get(lossgraph.operation(node))
    between = _between(node, logits.grad_fn)
    if function is None or between is None:
        return None
    if function is functional.nll_loss and "LogSoftmax" in between:
        function = functional.cross_entropy
    shape = tuple(node._saved_self.shape)  # noqa: SLF001 - the graph keeps what it was given

    def compute(answers: Any, wanted: Any) -> Any:
        return function(answers.reshape(len(wanted), *shape[1:]), wanted)

    return compute if logits.numel() == prod(shape) else None


def _times(factor: float, compute: Callable[[Any, Any], Any], answers: Any, wanted: Any) -> Any:
    return factor * compute(answers, wanted)


def _factor(loss: Any, logits: Any, compute: Callable[[Any], Any]) -> float | None:
    """
    Return how many times the loss is what this computes; None if it is something else.

    Their gradients have to be as many times each other, element by element: that of a loss with
    weights for its classes is not.
    """
    import torch

    with torch.enable_grad():
        answers = logits.detach().requires_grad_()
        again = compute(answers)
        (mine,) = torch.autograd.grad(again, answers)
        (theirs,) = torch.autograd.grad(loss, logits, retain_graph=True)
    value = float(again.detach())
    factor = float(loss.detach()) / value if value else 1.0
    apart = float((theirs - factor * mine).abs().max())
    return factor if apart <= NEAR * max(float(theirs.abs().max()), 1e-12) else None


def _between(node: Any, end: Any) -> set[str] | None:
    """Return what was done to a model's answer before a loss function got it; None: more than form."""
    found: set[str] = set()
    following = node.next_functions[0][0]
    for _ in range(6):
        if following is end:
            return found
        name = "" if following is None else lossgraph.operation(following)
        if name not in {*FORMS, "LogSoftmax"}:
            return None
        found.add(name)
        following = following.next_functions[0][0]
    return None


def parts(first: FirstBatch, optimizer: Any) -> dict[str, Any]:
    """Return the parts of a pipeline that gives this batch, with its rows by number."""

    def collator(rows: list[int]) -> dict[str, Any]:
        return {
            name: value[rows] if getattr(value, "ndim", 0) and len(value) == first.rows else value
            for name, value in first.arrays.items()
        }

    told: dict[str, Any] = {
        "model": first.module,
        "train_data": list(range(first.rows)),
        "collator": collator,
        "optimizer": optimizer,
    }
    return told if first.loss is None else {**told, "loss": first.loss}

"""The model's answer to the first batch, its loss and its gradients; nothing of it is kept."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from pipedoctor.fact import UNKNOWN, Fact, Split, Unavailable, unknown
from pipedoctor.facts.compiled import Compiled
from pipedoctor.facts.forward import Forward
from pipedoctor.facts.gradients import Gradient, Gradients
from pipedoctor.frameworks.fitting import borrowed, own_step, room, second, stateless
from pipedoctor.frameworks.fitting.building import Ready
from pipedoctor.frameworks.fitting.drawing import Drawn, First
from pipedoctor.frameworks.fitting.ends import End, of_calls, of_graph
from pipedoctor.frameworks.fitting.library import Library, named, path_of, plain, to_numpy
from pipedoctor.frameworks.fitting.strangers import demand_unmoved, strangers_stopped
from pipedoctor.frameworks.fitting.untouched import optimizers, untouched, variables
from pipedoctor.frameworks.fitting.watching import watched
from pipedoctor.frameworks.fitting.withholding import withheld
from pipedoctor.pipeline import Pipeline

OWN_STEP = "the model has a train_step of its own, which makes its loss itself"

MOST_DENSE = 50_000_000
"""The gradient of a larger embedding is not spread out over all its rows."""


@dataclass(frozen=True, repr=False, eq=False)
class Answered(Fact):
    """
    What the model answered to the first batch, in inference mode; not for checks.

    `ends` says of each output where it came from, if the graph of layers does not tell that.
    """

    doing = "Running the model on the first batch"
    per_split = True

    answer: Any
    ends: tuple[End, ...] = ()


def answered(pipeline: Pipeline, split: Split) -> Answered:
    """
    Call the model on the first batch; layers are watched only to find the ends of outputs.

    Raises:
        Unavailable: Its own step makes no such call, and it can't be made.
        Exception: What the call raises.

    """
    ready = pipeline.fact(Ready)
    batch = pipeline.fact(First, split).batch
    method = "train_step" if split is Split.TRAIN else "test_step"
    with own_step.uncalled(ready.model, method):
        return _answered(ready, batch)


def _answered(ready: Ready, batch: Drawn) -> Answered:
    graph = getattr(ready.model, "outputs", None) or ()
    if graph and all(of_graph(tensor).activation for tensor in graph):
        return Answered(borrowed.matched(ready.model, call(ready, batch), batch.y))
    with watched(ready.library) as called:
        answer = borrowed.matched(ready.model, call(ready, batch), batch.y)
    inner = [one for one in called if one.layer is not ready.model]
    return Answered(answer, tuple(of_calls(tensor, inner) for _, tensor in named(answer, "")))


def call(ready: Ready, batch: Drawn) -> Any:
    """Return the model's answer to a batch, in inference mode; nothing of it is kept."""
    with untouched(ready.model), ungraded(ready.library):
        x = tensors(ready.library, batch.x)
        takes = second.takes_training(ready.model)
        return ready.model(x, training=False) if takes else ready.model(x)


def tensors(library: Library, structure: Any) -> Any:
    """Return a structure with tensors of the backend for the arrays in it."""
    if library.second:
        return second.tensors(structure)
    tree, ops = library.module("tree"), library.module("ops")
    return tree.map_structure(
        lambda leaf: leaf if leaf is None else ops.convert_to_tensor(leaf), structure
    )


@contextmanager
def ungraded(library: Library) -> Iterator[None]:
    """Have torch keep nothing for a backward pass that will not come."""
    if library.backend != "torch":
        yield
        return
    import torch

    with torch.no_grad():
        yield


def forward(pipeline: Pipeline, split: Split) -> Forward:
    """
    Tell the loss of the first batch, and that of each row where it can be told.

    Raises:
        Unavailable: The model is not compiled.
        Exception: Whatever the loss raises of these labels.

    """
    ready, made = pipeline.fact(Ready), pipeline.fact(Answered, split)
    batch = pipeline.fact(First, split).batch
    names = tuple(name or "output" for name, _ in named(made.answer, ""))
    rows = batch.rows or tuple(range(batch.size))
    compiled = pipeline.fact(Compiled)
    if compiled.own_train_step and not compiled.own_compute_loss:
        return Forward(rows, names, unknown(OWN_STEP))
    with untouched(ready.model), ungraded(ready.library):
        x, y, weight = (
            tensors(ready.library, part) for part in (batch.x, batch.y, batch.sample_weight)
        )
        if ready.library.second:
            logs = ready.model.test_step(second.packed(ready.library, iter((x, y, weight))))
            loss = logs.get("loss")
        else:
            loss = ready.model._compute_loss(  # noqa: SLF001 - what its own training step calls
                x=x, y=y, y_pred=made.answer, sample_weight=weight, training=False
            )
        value = plain(loss)
        known: dict[str, Any] = {}
        each = _row_losses(ready, y, made.answer) if weight is None else None
        if each is not None and len(each) == len(rows):
            known["row_losses"] = each
    labels = to_numpy(batch.y) if not isinstance(batch.y, (dict, list, tuple)) else None
    if labels is not None and labels.dtype.kind in "biuf" and labels.size == len(rows):
        known["labels"] = tuple(float(label) for label in labels.reshape(-1))
    return Forward(
        rows=rows,
        outputs=("loss", *names),
        loss=float(value) if value is not None else unknown("the loss is no single number"),
        own_loss=compiled.own_compute_loss,
        **known,
    )


def _row_losses(ready: Ready, y: Any, answer: Any) -> tuple[float, ...] | None:
    """Return the loss of each row, of a model with one output and one loss."""
    if ready.library.second:
        each = to_numpy(borrowed.row_losses(ready.model, y, answer))
        told = each is not None and each.ndim
        return tuple(float(one) for one in each.reshape(-1)) if told else None
    held = ready.model._compile_loss  # noqa: SLF001 - a double of it, while nothing is touched
    flat: Any = getattr(held, "_flat_losses", None) or ()
    leaves = [leaf for _, leaf in named(answer, "")]
    targets = [leaf for _, leaf in named(y, "")]
    if len(flat) != 1 or len(leaves) != 1 or len(targets) != 1:
        return None
    try:
        each = to_numpy(flat[0].loss.call(targets[0], leaves[0]))
    except Exception:  # noqa: BLE001 - the loss as a whole was computed: this is only more of it
        return None
    if each is None or not each.ndim:
        return None
    means = each.reshape(len(each), -1).astype("float64").mean(axis=1)
    return tuple(float(one) for one in means)


def gradients(pipeline: Pipeline) -> Gradients:
    """
    Run one training step up to where the optimizer would apply its gradients.

    Raises:
        Unavailable: The step does not show its gradients.
        Exception: Whatever the step raises.

    """
    ready = pipeline.fact(Ready)
    compiled = pipeline.fact(Compiled)
    batch = pipeline.fact(First, Split.TRAIN).batch
    part, library = ready.model, ready.library
    own_step = compiled.own_train_step
    held = [*variables(part), *part.trainable_variables]
    room.demand(held, "a copy of the weights, and their gradients")
    with untouched(part) as before:
        if library.backend == "jax":
            run = stateless.by_step if own_step else stateless.by_loss
            loss, found, logs = run(part, _packed(library, batch))
        else:
            loss, found, logs = _by_step(part, library, batch, compiled)
        if own_step and not library.second:
            demand_unmoved(part, before)
        trained = {path_of(variable): variable for variable in part.trainable_variables}
        of = {
            name: Gradient(
                _norm(found.get(name)),
                math.prod(map(int, variable.shape)),
                reached=found.get(name) is not None,
            )
            for name, variable in trained.items()
        }
    return Gradients(
        model=type(part).__name__,
        library=library.name,
        loss=loss,
        of=of,
        connected=any(gradient.reached for gradient in of.values()),
        own_loss=compiled.own_train_step or compiled.own_compute_loss,
        logged=tuple(map(str, logs)) if own_step and isinstance(logs, Mapping) else UNKNOWN,
    )


def _by_step(
    part: Any, library: Library, batch: Drawn, compiled: Compiled
) -> tuple[Any, dict[str, Any], Any]:
    """Have the model make its own training step, with optimizers that apply nothing."""
    found: dict[str, Any] = {}
    data = _packed(library, batch)
    with ExitStack() as stack:
        if compiled.own_train_step and not library.second:
            stack.enter_context(strangers_stopped(library))
        for optimizer in optimizers(part):
            stack.enter_context(withheld(optimizer, found))
        if library.second:
            part.reset_metrics()  # its step tells the mean of the losses since then
        elif not compiled.own_train_step:
            vars(part)["compute_metrics"] = lambda *_words, **_keywords: {}
        tracker = getattr(part, "_loss_tracker", None)
        if tracker is not None:
            tracker.reset_state()
        logs = part.train_step(data)
        loss = logs.get("loss") if isinstance(logs, Mapping) else None
        if loss is None and tracker is not None and not compiled.own_train_step:
            loss = tracker.result()
    if not found and compiled.own_train_step:
        raise Unavailable("the model's own train_step hands its optimizer no gradients")
    value = plain(loss)
    return (float(value) if value is not None else unknown(OWN_STEP)), found, logs


def _packed(library: Library, batch: Drawn) -> Any:
    parts = (tensors(library, part) for part in (batch.x, batch.y, batch.sample_weight))
    if library.second:
        return second.packed(library, parts)
    pack = library.module("trainers.data_adapters.data_adapter_utils").pack_x_y_sample_weight
    return pack(*parts)


def _norm(gradient: Any) -> float | None:
    """Return the norm of a gradient; not finite if any element is not."""
    if gradient is None:
        return None
    import numpy as np

    if type(gradient).__name__ == "IndexedSlices":
        import tensorflow as tf

        shape = gradient.dense_shape
        dense = shape is not None and int(np.prod(to_numpy(shape))) <= MOST_DENSE
        gradient = tf.convert_to_tensor(gradient) if dense else gradient.values
    array = to_numpy(gradient)
    return None if array is None else float(np.linalg.norm(array.astype("float64").reshape(-1)))

"""A model with its weights: as it is, or built from the first batch as `fit` would build it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipedoctor.fact import Fact, Split, Unavailable
from pipedoctor.frameworks.fitting import own_step, second
from pipedoctor.frameworks.fitting.drawing import Drawn, First
from pipedoctor.frameworks.fitting.library import Library, is_compiled, of
from pipedoctor.frameworks.fitting.untouched import untouched
from pipedoctor.pipeline import Pipeline


@dataclass(frozen=True, repr=False, eq=False)
class Ready(Fact):
    """The model itself, built; not for checks. `built` says whether it was so before."""

    doing = "Building the model"

    model: Any
    library: Library
    built: bool


def model(pipeline: Pipeline) -> tuple[Any, Library]:
    """Return the model, if it is one of Keras, and which Keras that is."""
    part = pipeline.part("model")
    library = of(part)
    if library is None or not hasattr(part, "fit"):
        raise Unavailable(f"the model is a {type(part).__name__}, none of Keras that is fitted")
    return part, library


def is_built(part: Any) -> bool:
    """Whether all layers have their weights."""
    library = of(part)
    if library is None or library.second:
        return bool(part.built)
    # One without a call is never marked as built by a step: what it holds is.
    whole = not own_step.steps_alone(part, library) or own_step.has_call(part)
    return all(layer.built for layer in part._flatten_layers(include_self=whole))  # noqa: SLF001 - Keras asks itself the same, and in no public way


def ready(pipeline: Pipeline) -> Ready:
    """
    Build the model, if that is left to do.

    Raises:
        Unavailable: It has no weights, and there is no data to build it from.
        Exception: What building raises, as fit would.

    """
    part, library = model(pipeline)
    if is_built(part):
        return Ready(part, library, built=True)
    if not is_compiled(part):  # fit would not come to building it
        raise Unavailable("the model has no weights yet, and is not compiled")
    try:
        first = pipeline.fact(First, Split.TRAIN)
    except Unavailable as reason:
        raise Unavailable(f"the model has no weights yet; fit builds it: {reason}") from None
    by_fit(part, library, first.batch)
    pipeline.notes.append(
        f"the model {type(part).__name__} had no weights yet: it was built from the first batch, "
        "as fit builds it"
    )
    return Ready(part, library, built=False)


def spec(part: Any, library: Library, x: Any) -> Any:
    """
    Return what the model makes of a batch, without computing it.

    Raises:
        Unavailable: Its own train_step makes no such call, and it can't be made.
        Exception: What the call raises.

    """
    with own_step.uncalled(part), untouched(part, written=_is_ragged(library, x)):
        if library.second:
            how = {"training": False} if second.takes_training(part) else {}
            return part(second.tensors(x), **how)
        return _symbolic(part, library, x)


def by_fit(part: Any, library: Library, batch: Drawn) -> None:
    """Build a model as fit does: by its own step where there is one, else by a call."""
    if own_step.steps_alone(part, library):
        own_step.built_by_step(part, library, (batch.x, batch.y, batch.sample_weight))
    else:
        build(part, library, batch.x)


def build(part: Any, library: Library, x: Any) -> None:
    """Build a model from a batch."""
    if library.second:
        second.build(part, x)
    else:
        _symbolic(part, library, x)


def _is_ragged(library: Library, x: Any) -> bool:
    """Whether a call computes something: Keras has no symbol that is ragged."""
    return any(type(leaf).__name__ == "RaggedTensor" for leaf in library.flat(x))


def _symbolic(part: Any, library: Library, x: Any) -> Any:
    """Call a model on symbols of the shapes of a batch; an unbuilt one is built by that."""
    backend, tree = library.module("backend"), library.module("tree")

    def symbol(value: Any) -> Any:
        shape = list(value.shape)
        if library.backend == "tensorflow" and shape:
            shape[0] = None  # the last batch of an epoch is smaller, and fit knows that
        dtype, sparse = (
            backend.standardize_dtype(value.dtype),
            type(value).__name__ == "SparseTensor",
        )
        return backend.KerasTensor(shape, dtype, sparse=sparse)

    if _is_ragged(library, x):
        return part(x, training=False)

    symbols = tree.map_structure(lambda v: None if v is None else symbol(v), x)
    return backend.compute_output_spec(part, symbols, training=False)

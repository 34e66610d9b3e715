"""The shapes of a batch that `fit` makes, to be filled out for any number of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pipedoctor.fact import Split, Unavailable
from pipedoctor.facts.fit import Fit
from pipedoctor.frameworks.fitting.drawing import First
from pipedoctor.frameworks.fitting.library import Library
from pipedoctor.pipeline import Pipeline, ProbeFailed

USUAL = 32
"""The rows of a batch where fit is not told how many."""

OF_CLASSES = ("sparse", "Sparse")

FREE = 128
"""A dimension that the model leaves open, where no data says how long it is."""


@dataclass(frozen=True)
class Leaf:
    """An array of a batch without its values; `shape` is that of a row."""

    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class Frame:
    """A batch without its values: x, y and sample_weight in the structures that fit has them in."""

    x: Any
    y: Any
    sample_weight: Any
    rows: int
    length: int | None
    note: str = ""

    def made(self, make: Callable[[tuple[int, ...], str], Any], rows: int) -> tuple[Any, Any, Any]:
        """Return the batch for so many rows, its arrays made by a function of shape and dtype."""

        def filled(leaf: Leaf) -> Any:
            return make((rows, *leaf.shape), leaf.dtype)

        return (
            mapped(self.x, filled),
            mapped(self.y, filled),
            mapped(self.sample_weight, filled),
        )


def mapped(structure: Any, change: Callable[[Any], Any]) -> Any:
    """Return a structure with its leaves changed."""
    if structure is None:
        return None
    if isinstance(structure, Mapping):
        return {key: mapped(value, change) for key, value in structure.items()}
    if isinstance(structure, (list, tuple)):
        found = [mapped(value, change) for value in structure]
        return found if isinstance(structure, list) else tuple(found)
    return change(structure)


def handed(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Return a batch as `fit` hands it to train_step: without labels, an array is no tuple."""
    if sample_weight is not None:
        return x, y, sample_weight
    if y is not None:
        return x, y
    return (x,) if isinstance(x, (list, tuple)) else x


def frame(pipeline: Pipeline, model: Any, library: Library, wishes: Mapping[str, Any]) -> Frame:
    """
    Return the frame of the batches that a model is trained on, made up where there is no data.

    Raises:
        Unavailable: Neither can be told.

    """
    try:
        batch = pipeline.fact(First, Split.TRAIN).batch
    except (Unavailable, ProbeFailed) as reason:
        x, y = _made_up(model, library, reason)
        parts, rows = (x, y, None), USUAL
        note = f"no batch is read ({reason}): its shapes are those that the model states"
    else:
        parts = tuple(mapped(part, _leaf) for part in (batch.x, batch.y, batch.sample_weight))
        told = pipeline.optional(Fit)
        rows = told.batch_size if told is not None and told.known("batch_size") else batch.size
        note = ""
    wished = wishes.get("length")
    length = _length(parts[0], model)
    if wished and length:
        parts = tuple(mapped(part, _resized(length, int(wished))) for part in parts)
        length = int(wished)
    return Frame(parts[0], parts[1], parts[2], int(wishes.get("rows") or rows), length, note)


def _leaf(array: Any) -> Leaf:
    shape = getattr(array, "shape", None)
    if shape is None or type(array).__name__ in {"RaggedTensor", "SparseTensor"}:
        raise Unavailable(f"a batch holds a {type(array).__name__}, whose bytes are not known")
    dtype = getattr(array.dtype, "name", None) or str(array.dtype).removeprefix("torch.")
    return Leaf(tuple(map(int, shape[1:])), dtype)


def _length(x: Any, model: Any) -> int | None:
    """Return how many tokens a row has, where the model looks tokens up in a table."""
    layers = model._flatten_layers()  # noqa: SLF001 - Keras has no public way to all layers
    if not any("Embedding" in base.__name__ for one in layers for base in type(one).__mro__):
        return None
    found: list[int] = []

    def look(leaf: Leaf) -> None:
        if len(leaf.shape) == 1 and "int" in leaf.dtype and leaf.shape[0] > 1:
            found.append(leaf.shape[0])

    mapped(x, look)
    return found[0] if found else None


def _resized(length: int, wished: int) -> Callable[[Leaf], Leaf]:
    def resize(leaf: Leaf) -> Leaf:
        if leaf.shape[:1] != (length,):
            return leaf
        return Leaf((wished, *leaf.shape[1:]), leaf.dtype)

    return resize


def _made_up(model: Any, library: Library, reason: object) -> tuple[Any, Any]:
    graph = getattr(model, "_functional", None) or model  # a Sequential holds it
    inputs, outputs = getattr(graph, "_inputs_struct", None), getattr(graph, "outputs", None)
    if inputs is None or not outputs or library.second:
        raise Unavailable(
            f"{reason}, and what {type(model).__name__} takes is not stated in the model"
        )

    def leaf(symbol: Any) -> Leaf:
        shape = tuple(FREE if size is None else int(size) for size in symbol.shape[1:])
        return Leaf(shape, str(symbol.dtype))

    held = getattr(model, "_compile_loss", None)
    stated = getattr(held, "_user_loss", None)

    def target(name: str, symbol: Any) -> Leaf:
        loss = stated.get(name) if isinstance(stated, dict) else stated
        word = loss if isinstance(loss, str) else getattr(loss, "name", type(loss).__name__)
        whole = leaf(symbol)
        if any(part in str(word) for part in OF_CLASSES):
            return Leaf(whole.shape[:-1], "int64")
        return whole

    names = list(getattr(graph, "output_names", ())) or [""] * len(outputs)
    targets = [target(name, symbol) for name, symbol in zip(names, outputs, strict=True)]
    structure = graph._outputs_struct  # noqa: SLF001 - its structure is nowhere else
    if isinstance(structure, dict):
        return mapped(inputs, leaf), dict(zip(structure, targets, strict=True))
    return mapped(inputs, leaf), targets[0] if len(targets) == 1 else targets

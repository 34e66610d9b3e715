"""Whether a model of Keras keeps the rows of a batch apart: one is replaced, the others watched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipedoctor.fact import Split, Unavailable
from pipedoctor.facts.mixing import Layer, Mixing
from pipedoctor.frameworks.fitting import own_step
from pipedoctor.frameworks.fitting.building import Ready
from pipedoctor.frameworks.fitting.drawing import Drawn, First
from pipedoctor.frameworks.fitting.library import Library, named, to_numpy
from pipedoctor.frameworks.fitting.step import call
from pipedoctor.frameworks.fitting.watching import watched
from pipedoctor.frameworks.rows_apart import HALF, MOST, ROUNDING, differing
from pipedoctor.pipeline import Pipeline

ON_PURPOSE = ("BatchNormalization", "GhostBatch")
"""Layers that take the statistics of a batch: in inference too, where they are told to."""

Arrays = dict[str, Any]


def measure(pipeline: Pipeline) -> Mixing:
    """
    Run a few rows of the first batch twice, the second time with one of them replaced.

    Raises:
        Unavailable: The rows of the batch can't be told apart, or mix on purpose.

    """
    ready = pipeline.fact(Ready)
    batch = pipeline.fact(First, Split.TRAIN).batch
    with own_step.uncalled(ready.model):
        return _Trial(ready, batch).run()


@dataclass(frozen=True)
class _Trial:
    """A few rows of a batch, and the model."""

    ready: Ready
    batch: Drawn

    def run(self) -> Mixing:
        rows = self._rows()
        base, again = (self._answers(rows) for _ in range(2))
        if not base or any(len(one) != len(rows) or one.ndim < 2 for one in base.values()):
            raise Unavailable("the model does not answer each row by itself")
        fewer = self._answers(rows[:-1]) if len(rows) > 2 and not self._whole else base
        if any(fewer[name].shape[1:] != one.shape[1:] for name, one in base.items()):
            raise Unavailable(
                "the model compares the rows with each other, and answers with pairs"
            )
        if not all(_steady(one, again[name]) for name, one in base.items()):
            raise Unavailable("the answers to the same batch differ from time to time")
        told = [self._replaced(base, rows, place) for place in (len(rows) - 1, 0)]
        if not any(one.own > one.rounding * one.scale for one in told):
            raise Unavailable("the answers do not depend on the rows yet")
        worst = max(told, key=lambda one: one.change)
        if not worst.mixed:
            return worst
        layer = self._first_layer(rows, worst.replaced)
        if layer is not None and any(word in layer.kind for word in ON_PURPOSE):
            raise Unavailable(
                f"{layer.name} ({layer.kind}) takes the statistics of each batch, in inference too"
            )
        return replace(worst, layer=layer)

    def _rows(self) -> list[int]:
        """Return the places of a few rows of the batch that differ."""
        leaves = [to_numpy(leaf) for _, leaf in named(self.batch.x, "")]
        size = self.batch.size
        if any(leaf is None or not leaf.ndim or len(leaf) != size for leaf in leaves):
            raise Unavailable("the batch does not have one place for each row")
        rows = list(range(size if self._whole else min(size, MOST)))
        if len(rows) == size and any(leaf.shape[1:] == (size,) for leaf in leaves):
            raise Unavailable(f"an input may have a place for each pair of the {size} rows")
        same = all((leaf[rows[0]] == leaf[rows[-1]]).all() for leaf in leaves)
        if len(rows) < 2 or same:
            raise Unavailable("the rows of the batch are the same, or only one")
        return rows

    @property
    def _whole(self) -> bool:
        """Whether the model takes no fewer rows than a whole batch."""
        inputs = getattr(self.ready.model, "inputs", None) or ()
        shapes = [tuple(getattr(one, "shape", ())) for one in inputs]
        return any(shape and shape[0] is not None for shape in shapes)

    def _answers(self, rows: list[int]) -> Arrays:
        given = _given(self.batch, rows)
        try:
            answer = call(self.ready, given)
        except Unavailable:
            raise
        except Exception as error:  # a whole batch is what it was made for
            raise Unavailable(
                f"the model can't be called on {len(rows)} rows of the batch "
                f"({type(error).__name__})"
            ) from error
        found = {name: to_numpy(leaf) for name, leaf in named(answer, "")}
        return {name: _plain(one) for name, one in found.items() if one is not None and one.ndim}

    def _replaced(self, base: Arrays, rows: list[int], place: int) -> Mixing:
        """Tell what becomes of the answers with another row at this place."""
        import numpy as np

        changed = self._answers(_with(rows, place))
        change, own, scale = 0.0, 0.0, 0.0
        touched: set[int] = set()
        rounding = _rounding(self.ready.model)
        for name, one in base.items():
            apart = np.abs(changed[name] - one).reshape(len(rows), -1).max(axis=1)
            size = float(np.abs(one).max())
            own, scale = max(own, float(apart[place])), max(scale, size)
            apart[place] = 0.0
            change = max(change, float(apart.max()))
            touched |= {n for n in range(len(rows)) if float(apart[n]) > rounding * size}
        return Mixing(
            len(rows), place, change, own, scale, rounding, tuple(sorted(touched)), library="keras"
        )

    def _first_layer(self, rows: list[int], place: int) -> Layer | None:
        """Return the first layer into which one row went that differs, and out of which others came."""
        library, model = self.ready.library, self.ready.model
        before, after = (
            list(_calls(library, self.ready, _given(self.batch, kept)))
            for kept in (rows, _with(rows, place))
        )
        if [one.layer for one in before] != [one.layer for one in after]:
            return None
        for one, other in zip(before, after, strict=True):
            given, made = differing(one.given, other.given), differing(one.made, other.made)
            if one.layer is not model and given and made and given <= {place} and made - {place}:
                axis = getattr(one.layer, "axis", None)
                kind = type(one.layer).__name__
                return Layer(one.layer.name, kind, axis=axis if isinstance(axis, int) else None)
        return None


@dataclass(frozen=True)
class _Call:
    """A call of a layer, with what went in and came out."""

    layer: Any
    given: list[Any]
    made: list[Any]


def _calls(library: Library, ready: Ready, batch: Drawn) -> Iterator[_Call]:
    with watched(library) as called:
        call(ready, batch)
    for one in called:
        yield _Call(one.layer, _arrays(one.inputs), _arrays(one.outputs))


def _arrays(held: Sequence[Any]) -> list[Any]:
    """Return the arrays among what a layer was called with, or gave back."""
    found = (to_numpy(one) for one in held)
    return [_plain(one) for one in found if one is not None and one.ndim]


def _with(rows: list[int], place: int) -> list[int]:
    """Return the rows with the one from the other end at a place."""
    told = list(rows)
    told[place] = rows[len(rows) - 1 - place]
    return told


def _given(batch: Drawn, rows: list[int]) -> Drawn:
    """Return these rows of a batch, without labels."""

    def few(value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, Mapping):
            return {name: few(held) for name, held in value.items()}
        if isinstance(value, (list, tuple)):
            held = [few(one) for one in value]
            return type(value)(*held) if hasattr(value, "_fields") else type(value)(held)
        return to_numpy(value)[rows]

    return replace(batch, x=few(batch.x), y=None, sample_weight=None, rows=())


def _plain(array: Any) -> Any:
    return array.astype("float64") if array.dtype.kind in "biuf" else array.astype("float32")


def _steady(one: Any, other: Any) -> bool:
    import numpy as np

    same = one.shape == other.shape and bool(np.isfinite(one).all())
    return same and float(np.abs(one - other).max()) <= ROUNDING * max(float(abs(one).max()), 1e-6)


def _rounding(model: Any) -> float:
    kinds = {str(getattr(layer, "compute_dtype", "")) for layer in getattr(model, "layers", ())}
    return HALF if kinds & {"float16", "bfloat16"} else ROUNDING

"""The outputs of a model, each with its loss and its labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipedoctor.fact import Split, Unavailable
from pipedoctor.facts.compiled import Compiled, OutputLoss
from pipedoctor.facts.outputs import Output, Outputs, Targets
from pipedoctor.finding import NOWHERE
from pipedoctor.frameworks.fitting import ends, places
from pipedoctor.frameworks.fitting.building import Ready, spec
from pipedoctor.frameworks.fitting.drawing import First
from pipedoctor.frameworks.fitting.library import named, to_numpy
from pipedoctor.frameworks.fitting.objectives import output_names
from pipedoctor.frameworks.fitting.scanning import Scan
from pipedoctor.frameworks.fitting.step import Answered
from pipedoctor.frameworks.fitting.telling import targets
from pipedoctor.pipeline import Pipeline


def describe(pipeline: Pipeline) -> Outputs:
    """Say what comes out of the model."""
    ready = pipeline.fact(Ready)
    graph = list(getattr(ready.model, "outputs", None) or ())
    made = pipeline.optional(Answered, Split.TRAIN)
    answers = named(made.answer, "") if made is not None else []
    symbols = [("", tensor) for tensor in graph] or _symbols(pipeline, ready)
    if not symbols and not answers:
        raise Unavailable("what the model gives out shows when it is called, and there is no data")
    names = output_names(ready.model, symbols or answers)
    compiled = pipeline.optional(Compiled)
    losses = compiled.losses if compiled is not None and compiled.known("losses") else ()
    wanted, held_out = (_targets(pipeline, split) for split in (Split.TRAIN, Split.EVAL))
    found = []
    for place, name in enumerate(names):
        tensor = answers[place][1] if len(answers) == len(names) else None
        array = to_numpy(tensor)
        end = ends.of_graph(graph[place]) if len(graph) == len(names) else ends.End()
        if not end.activation and made is not None and len(made.ends) == len(names):
            called = made.ends[place]
            end = called if called.activation or end.layer is None else end
        if not end.activation:
            end = ends.End(end.layer, *_by_values(array))
        shape = tuple(symbols[place][1].shape) if symbols else array.shape
        loss = _loss(losses, name, place, len(names))
        found.append(
            Output(
                name=name,
                layer=getattr(end.layer, "name", ""),
                kind=type(end.layer).__name__ if end.layer is not None else "",
                units=_last(shape),
                shape=(None, *(None if size is None else int(size) for size in shape[1:])),
                activation=end.activation,
                told_by=end.told_by,
                loss=loss,
                targets=_paired(wanted, name, place, len(names)),
                held_out=_paired(held_out, name, place, len(names)),
                where=_where(pipeline, end.layer),
                **_values(array),
            )
        )
    return Outputs(tuple(found), labels=len(wanted))


def _by_values(array: Any) -> tuple[str, str]:
    end = ends.of_values(array)
    return end.activation, end.told_by


def _symbols(pipeline: Pipeline, ready: Ready) -> list[tuple[str, Any]]:
    first = pipeline.optional(First, Split.TRAIN)
    if first is None:
        return []
    return named(spec(ready.model, ready.library, first.batch.x), "")


def _loss(losses: Sequence[OutputLoss], name: str, place: int, outputs: int) -> OutputLoss | None:
    by_name = next((loss for loss in losses if loss.output == name), None)
    if by_name is not None or len(losses) != outputs:
        return by_name
    return losses[place]


def _targets(pipeline: Pipeline, split: Split) -> dict[str, Targets]:
    scan = pipeline.optional(Scan, split)
    return {} if scan is None else {one.name: targets(one, scan) for one in scan.labels}


def _paired(wanted: dict[str, Targets], name: str, place: int, outputs: int) -> Targets | None:
    """Return the labels of an output: those of its name, else those at its place."""
    if name in wanted:
        return wanted[name]
    values = list(wanted.values())
    if len(values) == outputs or (len(values) == 1 and place == 0):
        return values[place]
    return None


def _last(shape: Any) -> int | None:
    return int(shape[-1]) if len(shape) > 1 and shape[-1] is not None else None


def _where(pipeline: Pipeline, layer: Any) -> Any:
    if layer is not None:
        found = places.made(pipeline, layer)
        if found is not None:
            return found.where("activation")
    site = places.site(pipeline, "model")
    return NOWHERE if site is None else site.place


def _values(array: Any) -> dict[str, Any]:
    """Return what the answers to the first batch tell."""
    import numpy as np

    if array is None or array.dtype.kind not in "biuf" or not array.size:
        return {}
    numbers = array.astype("float64")
    finite = np.isfinite(numbers)
    told: dict[str, Any] = {"not_finite": int(finite.size - finite.sum())}
    if finite.any():
        told |= {"minimum": float(numbers[finite].min()), "maximum": float(numbers[finite].max())}
    if numbers.ndim > 1 and finite.all():
        sums = numbers.sum(axis=-1)
        told["row_sum"] = (float(sums.min()), float(sums.max()))
    if len(numbers) > 1 and finite.all():
        told["constant"] = bool((numbers == numbers[:1]).all())
    return told
